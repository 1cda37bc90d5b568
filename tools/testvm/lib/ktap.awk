# SPDX-License-Identifier: GPL-2.0
# Reads the KTAP of selftests/run, or of one flat test. Prints failed and skipped tests on lines that start with FAIL
# or SKIP, and finally "TOTALS passed failed skipped". A leaf is a nested result, or a top-level one without any.

function leaf(line) {
	leaves++
	if (line ~ /^not ok/) {
		failed++
		bad = 1
		print "FAIL " program line
	} else if (line ~ /# *[Ss][Kk][Ii][Pp]/) {
		skipped++
		print "SKIP " program line
	} else {
		passed++
	}
}

function broken(what) {
	failed++
	bad = 1
	print "FAIL " what
}

function new_program() {
	nested = 0
	nested_plan = -1
	bad = 0
}

BEGIN {
	top_plan = -1
	new_program()
}

/^# 1\.\.[0-9]+/ {
	sub(/^# 1\.\./, "")
	nested_plan = $1 + 0
}

/^# (not )?ok [0-9]+/ {
	nested++
	held[nested] = substr($0, 3)
}

/^1\.\.[0-9]+/ {
	top_plan = substr($1, 4) + 0
}

/^(not )?ok [0-9]+/ {
	top++
	name = $0
	sub(/^(not )?ok [0-9]+ *-? */, "", name)
	sub(/ *#.*/, "", name)
	program = nested ? name ": " : ""
	for (i = 1; i <= nested; i++)
		leaf(held[i])
	if (nested_plan > 0 && nested != nested_plan)
		broken(name ": planned 1.." nested_plan ", reported " nested)
	if (!nested)
		leaf($0)
	else if (/^not ok/ && !bad)
		broken($0)
	new_program()
}

END {
	program = "(unfinished) "
	for (i = 1; i <= nested; i++)
		leaf(held[i])
	if (top_plan < 0)
		broken("no plan")
	else if (top != top_plan)
		broken("planned 1.." top_plan ", reported " top + 0)
	print "TOTALS", passed + 0, failed + 0, skipped + 0
}
