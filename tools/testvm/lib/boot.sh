# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # names are shared between the files of testvm
# Boots a VM in QEMU, once.

# Software emulation runs all guest CPUs in one thread: with thread=multi, QEMU 7.2 breaks the live text patching of x86
# guests (kprobes, static keys, static calls) in most boots, with an Oops that the module did not cause.
accelerator() {
	if [[ ${icount:-} ]]; then
		echo "-accel tcg,thread=single -icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm -seed 1"
		return
	fi
	if kvm_works "$1"; then
		echo "-accel kvm -cpu host"
		return
	fi
	echo "-accel tcg,thread=single"
}

# kvm_works NAME: /dev/kvm proves little (nested and paravirtual hosts), so a trial boot decides, once per host boot
kvm_works() {
	local answer
	answer=$cache/kvm-$(cat /proc/sys/kernel/random/boot_id)

	case ${UCV_ACCEL:-} in
	kvm) return 0 ;;
	tcg) return 1 ;;
	esac
	! foreign && [[ -r /dev/kvm && -w /dev/kvm ]] || return 1
	[[ -e $answer ]] || with_lock kvm try_kvm "$1" "$answer"
	[[ $(cat "$answer") == yes ]]
}

try_kvm() {
	local dir=$tmp/kvm result=no

	[[ -e $2 ]] && return
	say "trying KVM (once)"
	mkdir -p "$dir"
	make_initramfs "$1" "$dir/tree" no true
	qemu "$1" "$dir" 10 -accel kvm -cpu host || :
	if grep -qx 'status 0' "$dir/control"; then
		result=yes
	fi
	rm -f "$cache"/kvm-*
	echo $result >"$2"
	say "KVM works: $result"
}

# tsc_khz ACCELERATOR: the frequency of the emulated time stamp counter, which is the host's. On a busy host a guest that
# measures it may be wrong by a factor of 20, and its clocks with it.
tsc_khz() {
	local answer
	answer=$cache/tsc-$(cat /proc/sys/kernel/random/boot_id)

	[[ $1 == *tcg* && ! ${icount:-} && $arch == amd64 && $host_arch == amd64 ]] || return 0
	[[ -e $answer ]] || with_lock tsc measure_tsc "$answer"
	cat "$answer"
}

measure_tsc() {
	local program=${1%/*}/tsc_khz

	rm -f "$cache"/tsc-*
	cc -O2 -o "$program" "$testvm_dir/tsc_khz.c" || die "cc cannot build $testvm_dir/tsc_khz.c"
	"$program" >"$1.new"
	mv "$1.new" "$1"
}

# qemu NAME DIRECTORY SECONDS OPTION…: boot DIRECTORY/tree.cpio; the guest's ports and its console become files there.
# vm_image and vm_initrd, if set, are booted instead of the kernel NAME and the tree.
# Files, not pipes: a slow reader can then neither stop the guest nor lose its last bytes. ioeventfd=off: the guest's
# write returns when the bytes are in the file. A VM that ends is paused, for attend() to query. Returns QEMU's status.
qemu() {
	local dir=$2 image khz more='' name=$1 port ports=() release seconds=$3 smp
	shift 3
	image=${vm_image:-$(kernel_root "$name")/$(kernel_fact "$name" image)}
	release=$(kernel_fact "$name" release)

	smp=${cpus:-1}
	if [[ $kind == source ]]; then
		# Without ACPI a kernel finds one CPU per socket and takes their TSCs for unsynchronized. Slabs under
		# debug have no sheaves, whose stale pointers would hide leaks from kmemleak (seen on 7.3).
		smp+=,sockets=$smp
		more="tsc=reliable slab_debug=FZ"
		# KCSAN delays accesses, also where the kernel walks a long list under a spinlock
		[[ $flavour != kcsan ]] || more+=" watchdog_thresh=60"
	fi
	khz=$(tsc_khz "$*")
	[[ ! $khz ]] || more+=" tsc_early_khz=$khz"
	for port in output error control; do
		: >"$dir/$port"
		ports+=(-chardev "file,id=$port,path=$dir/$port"
			-device "virtserialport,chardev=$port,name=testvm.$port")
	done
	: >"$dir/console"
	mkfifo "$dir/qmp.in" "$dir/qmp.out"
	attend "$dir" "$seconds" &
	attend_pid=$!
	# attend() ends QEMU in time, unless QEMU itself hangs
	timeout -k 3 $((seconds + 30)) "$emulator" "${machine[@]}" "$@" \
		-name "testvm-$release" -m "${memory:-512}" -smp "$smp" \
		-nodefaults -no-user-config -display none -action reboot=shutdown,shutdown=pause \
		-qmp stdio -d cpu_reset,guest_errors -D "$dir/resets" \
		-kernel "$image" -initrd "${vm_initrd:-$dir/tree.cpio}" \
		-append "console=$console $arguments ignore_loglevel printk.devkmsg=on panic=-1 ${icount:+nokaslr norandmaps }$more ${parameters:-}" \
		-serial "file:$dir/console" \
		-device "virtio-serial-$bus,ioeventfd=off" "${ports[@]}" \
		<"$dir/qmp.in" >"$dir/qmp.out" 2>"$dir/qemu" &
	qemu_pid=$!
	if [[ ${stream:-} ]]; then
		tail ---disable-inotify -s 0.05 --pid=$qemu_pid -c +1 -f "$dir/output" &
		tail ---disable-inotify -s 0.05 --pid=$qemu_pid -c +1 -f "$dir/error" >&2 &
	fi
	wait $qemu_pid 2>/dev/null # (the shell's word on a QEMU that aborted)
}

# attend DIRECTORY SECONDS: talk QMP with QEMU until it ends, and log its answers to DIRECTORY/qmp. When the VM ends or
# the time runs out (DIRECTORY/late), request the registers and quit QEMU.
attend() {
	local asked='' deadline=$((SECONDS + $2)) in left line out status

	exec {in}<>"$1/qmp.in" # does not wait for QEMU, and lives on when it dies
	exec {out}<"$1/qmp.out"
	echo '{"execute": "qmp_capabilities"}' >&"$in"
	while :; do
		left=$((deadline - SECONDS))
		if [[ ! $asked ]] && ((left <= 0)); then
			: >"$1/late"
			end_vm >&"$in"
			asked=1
		fi
		status=0
		if [[ $asked ]]; then
			IFS= read -r line <&"$out" || break
		else
			IFS= read -r -t "$left" line <&"$out" || status=$?
			((status <= 128)) || continue
			((status == 0)) || break
		fi
		printf '%s\n' "$line" >>"$1/qmp"
		if [[ ! $asked && $line == *'"SHUTDOWN"'* ]]; then
			end_vm >&"$in"
			asked=1
		fi
	done
}

end_vm() {
	echo '{"execute": "stop"}'
	echo '{"execute": "human-monitor-command", "arguments": {"command-line": "info registers -a"}}'
	echo '{"execute": "quit"}'
}

# ending DIRECTORY QEMU-STATUS SECONDS: print how the VM ended; true if the guest ended it in the way init does
ending() {
	local last reason
	reason=$(sed -n '/"SHUTDOWN"/s/.*"reason": "\([a-z-]*\)".*/\1/p' "$1/qmp" 2>/dev/null | head -n 1)
	last=$(tail -n 1 "$1/qemu")

	[[ ! -e $1/late ]] || reason=late
	case $reason in
	late) echo "the VM ran past its time ($3 s)$( (($2 == 0)) || echo ", and QEMU did not end when told")" ;;
	guest-reset)
		if grep -q '^Triple fault' "$1/resets"; then
			echo "the guest had a triple fault"
		elif (($2)); then
			echo "the guest reset, and QEMU then ended with status $2: ${last:-no message}"
		else
			echo "the guest reset"
			return 0
		fi
		;;
	guest-*) echo "the guest ended the VM ($reason)" ;;
	host-signal) echo "QEMU was told to end: ${last#*: }" ;;
	'' | none)
		if (($2 > 128)); then
			echo "QEMU was killed by signal $(($2 - 128))${last:+: ${last#*: }}"
		else
			echo "QEMU ended with status $2: ${last:-no message}"
		fi
		;;
	*) echo "QEMU ended the VM ($reason)${last:+: ${last#*: }}" ;;
	esac
	return 1
}

# keep_remains DIRECTORY TO: copy all files that help to diagnose a VM that ended in some other way
keep_remains() {
	local file

	for file in console control qemu qmp resets output error; do
		[[ ! -e $1/$file ]] || cp "$1/$file" "$2/"
	done
	# One line of JSON per answer. The one with registers has all of them, separated by \r\n.
	sed -n '/RIP=\|EIP=\| PC=/s/\\r\\n/\n/gp' "$1/qmp" >"$2/registers" 2>/dev/null || :
}
