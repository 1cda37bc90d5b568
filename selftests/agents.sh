# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $here, and ktap.sh $ktap_dir
# Agents (agent.c) and the limits that they reach, for the scripts that test the reader.

agents=''
sysctls=''

# start NAME: start an agent
start() {
	mkfifo "$ktap_dir/$1.in" "$ktap_dir/$1.out" || return
	"$here/agent" <>"$ktap_dir/$1.in" 1<>"$ktap_dir/$1.out" &
	echo $! >"$ktap_dir/$1.pid"
	agents="$agents $1"
}

# ask NAME COMMAND...: send a command to the agent and print its answer
ask() {
	agent=$1
	shift
	kill -0 "$(cat "$ktap_dir/$agent.pid")" || return
	echo "$*" >"$ktap_dir/$agent.in"
	read -r answer <"$ktap_dir/$agent.out"
	echo "$answer"
}

# tell NAME ANSWER COMMAND...: the agent must give this answer to the command
tell() {
	name=$1
	wanted=$2
	shift 2
	expect "$name: $*" "$wanted" "$(ask "$name" "$@")"
}

# tell_number NAME COMMAND...: the answer must be a number above 1, such as a pid
tell_number() {
	[ "$(ask "$@")" -gt 1 ]
}

stop_agents() {
	for agent in $agents; do
		pid=$(cat "$ktap_dir/$agent.pid")
		kill -0 "$pid" 2>/dev/null && echo quit >"$ktap_dir/$agent.in"
		wait "$pid"
		rm "$ktap_dir/$agent.in" "$ktap_dir/$agent.out" "$ktap_dir/$agent.pid"
	done
	agents=''
}

# lower NAME VALUE: set a sysctl until the test ends
lower() {
	path=/proc/sys/$(echo "$1" | tr . /)
	case " $sysctls" in
	*" $path="*) ;;
	*) sysctls="$sysctls$path=$(cat "$path") " ;;
	esac
	echo "$2" >"$path"
}

restore_sysctls() {
	for sysctl in $sysctls; do
		echo "${sysctl#*=}" >"${sysctl%%=*}"
	done
	sysctls=''
}

# The number of mounts in a mount namespace, and the highest such number, both from the device.
mounts_of() {
	"$here/mounts_probe" records | awk -v inode="$1" '$1 == inode { print $4 }'
}

most_mounts() {
	"$here/mounts_probe" records | awk '$4 > most { most = $4 } END { print most }'
}
