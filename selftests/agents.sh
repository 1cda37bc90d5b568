# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # whoever reads this sets $here, and ktap.sh $ktap_dir
# Agents (story_agent.c) and the limits that they reach, for the scripts that test the reader.

debugfs=/sys/kernel/debug/ucountview
agents=''
sysctls=''

# start NAME: start an agent, see story_agent.c
start() {
	mkfifo "$ktap_dir/$1.in" "$ktap_dir/$1.out" || return
	"$here/story_agent" "$ktap_dir/$1.in" "$ktap_dir/$1.out" &
	eval "agent_$1=$!"
	agents="$agents $1"
}

# ask NAME COMMAND...: send a command to the agent and print its answer
ask() {
	agent=$1
	shift
	eval "kill -0 \$agent_$agent" || return
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

stop_agents() {
	for agent in $agents; do
		eval "pid=\$agent_$agent"
		kill -0 "$pid" 2>/dev/null && echo quit >"$ktap_dir/$agent.in"
		wait "$pid"
		rm "$ktap_dir/$agent.in" "$ktap_dir/$agent.out"
	done
	agents=''
}

sysctl_path() {
	echo "/proc/sys/$(echo "$1" | tr . /)"
}

# lower NAME VALUE: set a sysctl until the story ends
lower() {
	path=$(sysctl_path "$1")
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

# inode PID TYPE: the inode number of the process's namespace of this type
inode() {
	stat -L -c %i "/proc/$1/ns/$2"
}

# The number of mounts in a mount namespace, and the highest such number, both from debugfs.
mounts_of() {
	awk -v inode="$1" '$1 == inode { print $4 }' "$debugfs/mounts"
}

most_mounts() {
	awk 'NR > 1 && $4 > most { most = $4 } END { print most }' "$debugfs/mounts"
}
