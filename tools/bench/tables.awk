# SPDX-License-Identifier: GPL-2.0
# Tables from raw data of the benchmark, a column for each kernel (fields that end with |, for simple_table).
#
# usage: awk -v table=reading|memory|others|holds|side_by_side|charging -f tables.awk KERNEL.csv...

BEGIN {
	FS = ","
}

FNR == 1 {
	kernel = FILENAME
	sub(/.*\//, "", kernel)
	sub(/\.csv$/, "", kernel)
	kernels[++nr_kernels] = kernel
	next
}

{
	shape = $1
	way = shape SUBSEP $3
	cost[kernel, way, $2] = $4
	kib[kernel, way, $2] = $5
	if (!(way in known)) {
		known[way] = 1
		shape_of[++nr_ways] = shape
		way_of[nr_ways] = $3
	}
	if (!((kernel, way) in first) || $2 + 0 < first[kernel, way])
		first[kernel, way] = $2 + 0
	if ($2 + 0 > last[kernel, way])
		last[kernel, way] = $2 + 0
}

# What each costs: the difference between the smallest and the largest number
function each(kernel, shape, name,   way, n) {
	way = shape SUBSEP name
	n = last[kernel, way] - first[kernel, way]
	if (n <= 0)
		return ""
	return (cost[kernel, way, last[kernel, way]] - cost[kernel, way, first[kernel, way]]) / n
}

function most(kernel, shape, name,   way) {
	way = shape SUBSEP name
	return cost[kernel, way, last[kernel, way]]
}

function figure(x) {
	if (x == "")
		return ""
	if (x > -0.05 && x < 0.05)
		return "0"
	return sprintf(x > -10 && x < 10 ? "%.1f" : "%.0f", x)
}

function heading(text,   k) {
	for (k = 1; k <= nr_kernels; k++)
		text = text "|" kernels[k]
	print text "|"
}

function is_hold(name) {
	return name ~ /^hold(-|$)/
}

function label(name) {
	return name ~ /^(ucountview|lsns|findmnt|true|inotify)/ ? "``" name "``" : name
}

function reading(   i, k, line, x, floor) {
	heading("Way")
	for (i = 1; i <= nr_ways; i++) {
		if (shape_of[i] != "users" || is_hold(way_of[i]))
			continue
		line = label(way_of[i])
		for (k = 1; k <= nr_kernels; k++) {
			if (way_of[i] == "true") {
				line = line "|" figure(most(kernels[k], "users", way_of[i]))
				continue
			}
			x = each(kernels[k], "users", way_of[i])
			floor = each(kernels[k], "users", "floor-copy")
			line = line "|" figure(x) (x == "" || !floor ? "" : sprintf(" (%.1f)", x / floor))
		}
		print line "|"
	}
}

function memory(   i, k, line, way) {
	heading("Command")
	for (i = 1; i <= nr_ways; i++) {
		if (shape_of[i] != "users" || way_of[i] !~ /^ucountview|^true/)
			continue
		line = label(way_of[i])
		way = "users" SUBSEP way_of[i]
		for (k = 1; k <= nr_kernels; k++)
			line = line "|" kib[kernels[k], way, first[kernels[k], way]] "; " \
				kib[kernels[k], way, last[kernels[k], way]]
		print line "|"
	}
}

function name_units() {
	unit["users"] = "row"
	unit["userns"] = "user namespace"
	unit["mntns"] = "mount namespace"
	unit["mounts"] = "mount"
	unit["tasks"] = "process"
	unit["groups"] = "inotify instance"
	unit["watches"] = "watch"
	nr_shapes = split("users userns mntns mounts tasks groups watches", shapes, " ")
}

function others(   i, k, line, s) {
	heading("For each|Way")
	for (s = 2; s < nr_shapes; s++)
		for (i = 1; i <= nr_ways; i++) {
			if (shape_of[i] != shapes[s] || is_hold(way_of[i]) || way_of[i] == "floor-touch")
				continue
			line = unit[shapes[s]] "|" label(way_of[i])
			for (k = 1; k <= nr_kernels; k++)
				line = line "|" figure(each(kernels[k], shapes[s], way_of[i]))
			print line "|"
		}
}

# With the smallest and with the largest number
function holds(   i, k, line, of, s, way) {
	of["hold"] = "counters"
	of["hold-holders"] = "holders"
	of["hold-mounts"] = "mounts"
	heading("Many of|Snapshot of")
	for (s = 1; s <= nr_shapes; s++)
		for (i = 1; i <= nr_ways; i++) {
			if (shape_of[i] != shapes[s] || !is_hold(way_of[i]))
				continue
			line = unit[shapes[s]] "|" of[way_of[i]]
			way = shapes[s] SUBSEP way_of[i]
			for (k = 1; k <= nr_kernels; k++)
				line = line "|" cost[kernels[k], way, first[kernels[k], way]] "; " \
					cost[kernels[k], way, last[kernels[k], way]]
			print line "|"
		}
}

# Millions of instructions that a command costs with so many watches; how many times more inotify-info costs, and the same
# without what true costs
function side_by_side(   i, k, line, n, numbers, nr, s, swap, way, j, c, ours, start, theirs) {
	for (i in cost) {
		split(i, s, SUBSEP)
		if (s[2] == "watches" && s[3] == "inotify-info" && !(s[4] in n)) {
			n[s[4]] = 1
			numbers[++nr] = s[4]
		}
	}
	for (i = 1; i < nr; i++)
		for (j = i + 1; j <= nr; j++)
			if (numbers[i] + 0 > numbers[j] + 0) {
				swap = numbers[i]
				numbers[i] = numbers[j]
				numbers[j] = swap
			}
	heading("Watches|Command")
	for (j = 1; j <= nr; j++)
		for (i = 1; i <= nr_ways; i++) {
			if (shape_of[i] != "watches" || is_hold(way_of[i]))
				continue
			line = numbers[j] "|" label(way_of[i])
			way = "watches" SUBSEP way_of[i] SUBSEP numbers[j]
			for (k = 1; k <= nr_kernels; k++) {
				c = kernels[k] SUBSEP way
				if (!(c in cost)) {
					line = line "|"
					continue
				}
				ours = cost[c]
				start = cost[kernels[k], "watches", "true", numbers[j]]
				theirs = cost[kernels[k], "watches", "inotify-info", numbers[j]]
				line = line "|" sprintf("%.1f", ours / 1000000)
				if (way_of[i] ~ /^ucountview/)
					line = line sprintf(" (%.0f; %.0f)", theirs / ours, (theirs - start) / (ours - start))
			}
			print line "|"
		}
}

function charging(   i, k, line) {
	line = "Kernel"
	for (i = 1; i <= nr_ways; i++)
		if (shape_of[i] == "charge")
			line = line "|" way_of[i]
	print line "|"
	for (k = 1; k <= nr_kernels; k++) {
		line = kernels[k]
		for (i = 1; i <= nr_ways; i++)
			if (shape_of[i] == "charge")
				line = line "|" most(kernels[k], "charge", way_of[i])
		print line "|"
	}
}

END {
	name_units()
	if (table == "reading")
		reading()
	else if (table == "memory")
		memory()
	else if (table == "others")
		others()
	else if (table == "holds")
		holds()
	else if (table == "side_by_side")
		side_by_side()
	else
		charging()
}
