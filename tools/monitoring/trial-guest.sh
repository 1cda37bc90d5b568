#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1091,SC2016,SC2154 # an inner shell or Grafana expands what is quoted; ktap.sh sets ktap_dir
# Tests in a booted Debian, for trial: the service and the timer, what Prometheus gets of their metrics, the alerts
# when a user has reached the limit of inotify watches, the dashboard's queries.
#
# Scrapes are five seconds apart, and the alerts wait for ten seconds instead of for minutes: the rules are changed
# here, by shorten_rules. Everything else is as Debian and tools/monitoring have it.

. /host/ktap.sh
metrics=/var/lib/prometheus/node-exporter/ucountview.prom
api=http://localhost:9090/api/v1
rules=/etc/prometheus/ucountview.yml
limit=200
files=/srv/files
hog_uid=1900
editor_uid=1901

# starts UNIT...: that fails if it does not
starts() {
	systemctl start "$@" && return
	systemctl status --no-pager "$@"
	return 1
}

written() {
	[ -s $metrics ]
}

timer_writes_the_file() {
	install -m 755 /host/ucountview /host/agent /usr/local/bin/ && cp /host/ucountview-metrics.* /etc/systemd/system/ &&
		insmod /host/ucountview.ko denials=1 && systemctl daemon-reload && starts ucountview-metrics.timer || return
	! written || return
	within_minutes written || return
	expect "mode" 644 "$(stat -c %a $metrics)" &&
		expect "result" success "$(systemctl show -P Result ucountview-metrics.service)" &&
		promtool check metrics <$metrics
}

# write: a run of the service now
write() {
	starts ucountview-metrics.service
}

# within_minutes COMMAND...: wait until the command succeeds, which here takes longer than in small VMs
within_minutes() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if [ $tries -gt 300 ]; then
			echo "in vain: $*"
			return 1
		fi
		sleep 1
	done
}

# has_agent UID NUMBER: an agent (selftests/agent.c) becomes this user and makes an inotify instance with so many
# watches, or as many as it may have; the last of its three answers is their number.
has_agent() {
	printf 'uids %s %s %s\ninotify 1\nwatch 0 %s 0 %s\n' "$1" "$1" "$1" $files "$2"
}

# holder NAME UID NUMBER: a service with such an agent. It stays.
holder() {
	has_agent "$2" "$3" >"/run/$1.commands"
	systemd-run --quiet --unit="$1" sh -c \
		'{ cat "/run/$0.commands"; exec sleep 1000000; } | exec agent >"/run/$0.answers"' "$1" || return
	within_minutes answers "$1" && return
	systemctl status --no-pager "$1"
	return 1
}

answers() {
	[ -e "/run/$1.answers" ] && [ "$(wc -l <"/run/$1.answers")" -eq 3 ]
}

# The service has no capability, and its users' processes are not its own.
service_sees_the_units_of_others() {
	mkdir -p $files && seq -f "$files/%g" 0 $((limit + 10)) | xargs touch && chmod -R a+rX $files &&
		holder editor $editor_uid 7 && write || return
	expect "answer" 7 "$(tail -n 1 /run/editor.answers)" || return
	expect "watches of the unit" \
		'ucountview_held{manager="",unit="editor.service",container="",resource="inotify_watches"} 7' \
		"$(grep '^ucountview_held{.*unit="editor.service".*watches' $metrics)"
}

shorten_rules() {
	sed 's/for: [0-9]*m$/for: 10s/' /host/alerts.yml >$rules
	[ "$(grep -c 'for: 10s' $rules)" -eq "$(grep -c 'for: ' /host/alerts.yml)" ]
}

configure() {
	shorten_rules
	cat >/etc/prometheus/prometheus.yml <<-'YML'
		global:
		  scrape_interval: 5s
		  scrape_timeout: 5s
		  evaluation_interval: 5s
		rule_files:
		  - ucountview.yml
		scrape_configs:
		  - job_name: node
		    static_configs:
		      - targets: ['localhost:9100']
	YML
	promtool check config /etc/prometheus/prometheus.yml
}

# query EXPRESSION: the number of series that it has now
query() {
	curl -sS --get "$api/query" --data-urlencode "query=$1" >"$ktap_dir/answer" &&
		jq -e 'select(.status == "success") | .data.result | length' "$ktap_dir/answer"
}

has_data() {
	number=$(query "$1" 2>/dev/null) && [ "$number" -gt 0 ]
}

# is_scraped EXPRESSION: it has series, perhaps only after the next scrape: one that takes too long ends all series
is_scraped() {
	within_minutes has_data "$1" && return
	cat "$ktap_dir/answer"
	curl -sS "$api/targets" | jq -c '.data.activeTargets[] | {health, lastError}'
	return 1
}

prometheus_scrapes_the_metrics() {
	began=$(date +%s)
	configure && starts prometheus-node-exporter.service prometheus.service || return
	is_scraped 'up{job="node"} == 1' && is_scraped ucountview_module_info &&
		is_scraped 'ucountview_held{unit="editor.service",resource="inotify_watches"} == 7' &&
		is_scraped 'node_textfile_scrape_error == 0'
}

# state ALERT LABEL VALUE: of the alert with that label: pending, firing or nothing
state() {
	curl -sS "$api/alerts" | jq -r --arg name "$1" --arg label "$2" --arg value "$3" \
		'.data.alerts[] | select(.labels.alertname == $name and .labels[$label] == $value) | .state'
}

is_in_state() {
	[ "$(state "$1" "$2" "$3")" = "$4" ]
}

# fires ALERT LABEL VALUE
fires() {
	within_minutes is_in_state "$1" "$2" "$3" firing && return
	curl -sS "$api/alerts"
	return 1
}

clears() {
	within_minutes is_in_state "$1" "$2" "$3" ''
}

# A user with as many watches as may be, who goes on asking for more.
alert_fires_when_a_user_reaches_the_limit() {
	expect "alert before" '' "$(state UcountviewCounterNearLimit uid $hog_uid)" || return
	sysctl -w fs.inotify.max_user_watches=$limit && holder hog $hog_uid $((limit + 5)) || return
	expect "answer" "$limit ENOSPC" "$(tail -n 1 /run/hog.answers)" && write || return
	fires UcountviewCounterNearLimit uid $hog_uid || return
	curl -sS "$api/alerts" | jq -r '.data.alerts[] | "\(.state) \(.labels.alertname): \(.annotations.summary)"'
	expect "another user" '' "$(state UcountviewCounterNearLimit uid $editor_uid)"
}

# refuse: once more, and print the answer
refuse() {
	has_agent $hog_uid 1 | agent | tail -n 1
}

alert_fires_on_denials() {
	for round in 1 2 3; do
		expect "answer, $round" ENOSPC "$(refuse)" && write || return
		total=$(sed -n 's/^ucountview_denials_total //p' $metrics)
		is_scraped "ucountview_denials_total == $total" || return
	done
	is_in_state UcountviewDenials instance localhost:9100 firing || fires UcountviewDenials instance localhost:9100
}

# A mount namespace that is full, for the panels of mounts.
refuse_mount() {
	was=$(sysctl -n fs.mount-max)
	sysctl -q -w fs.mount-max=10
	! unshare -m mount --bind /srv /mnt 2>"$ktap_dir/refused" || return
	sysctl -q -w fs.mount-max="$was"
	cat "$ktap_dir/refused"
}

dashboard_shows_data() {
	refuse_mount && write || return
	is_scraped ucountview_mount_denials_total || return
	jq -r '.panels[] | .title as $title | .targets[] | "\($title)\t\(.expr)"' /host/dashboard.json >"$ktap_dir/queries"
	[ "$(wc -l <"$ktap_dir/queries")" -gt 8 ] || return
	empty=''
	while IFS='	' read -r title expression; do
		expression=$(echo "$expression" | sed 's/\$instance/.*/g')
		is_scraped "$expression" || empty="$empty $title,"
		echo "$title: $number"
	done <"$ktap_dir/queries"
	expect "panels without data" '' "$empty"
}

dashboard_names_the_unit_that_holds_most() {
	query 'topk(1, ucountview_held{resource="inotify_watches"})' || return
	expect "unit" hog.service "$(jq -r '.data.result[0].metric.unit' "$ktap_dir/answer")"
}

alert_clears_when_the_holder_has_gone() {
	systemctl stop hog.service && write && clears UcountviewCounterNearLimit uid $hog_uid
}

# history TITLE EXPRESSION LEGEND: what the panel shows from the beginning on: title, legend, seconds and value
history() {
	curl -sS --get "$api/query_range" --data-urlencode "query=$(echo "$2" | sed 's/\$instance/.*/g')" \
		-d "start=$began" -d "end=$(date +%s)" -d step=5 >"$ktap_dir/answer" || return
	jq -r --arg title "$1" --arg legend "$3" --argjson began "$began" '
		.data.result[] | .metric as $labels |
		($legend | gsub("{{(?<label>[a-z]+)}}"; $labels[.label] // "")) as $name |
		.values[] | "\($title)\t\($name)\t\(.[0] - $began)\t\(.[1])"' "$ktap_dir/answer"
}

# It is also what trial -w draws.
history_shows_the_holder_come_and_go() {
	jq -r '.panels[] | .title as $title | .targets[] | "\($title)\t\(.expr)\t\(.legendFormat)"' /host/dashboard.json |
		while IFS='	' read -r title expression legend; do
			history "$title" "$expression" "$legend" || exit
		done >/host/history || return
	history "Alerts" 'ALERTS{alertstate="firing"}' '{{alertname}} {{uid}}' >>/host/history || return
	awk -F '\t' -v limit=$limit '
		$1 ~ /^Units that hold most watches/ && $2 ~ / hog\.service / { last = $3; full += $4 == limit }
		$1 == "Alerts" && $2 ~ /^UcountviewCounterNearLimit / { alerts++ }
		$3 > end { end = $3 }
		END { exit !(full && alerts && last < end) }' /host/history
}

alert_fires_when_nothing_is_written() {
	systemctl stop ucountview-metrics.timer && touch -d '10 minutes ago' $metrics &&
		fires UcountviewStale instance localhost:9100 && write && clears UcountviewStale instance localhost:9100
}

ktap_run timer_writes_the_file service_sees_the_units_of_others prometheus_scrapes_the_metrics \
	alert_fires_when_a_user_reaches_the_limit alert_fires_on_denials dashboard_shows_data \
	dashboard_names_the_unit_that_holds_most alert_clears_when_the_holder_has_gone \
	history_shows_the_holder_come_and_go alert_fires_when_nothing_is_written
