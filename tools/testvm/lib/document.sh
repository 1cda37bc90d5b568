# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tables of results, and their place in the documents.

# simple_table: turn rows of fields that end with | into a reST table
simple_table() {
	awk -F'|' '
		{
			rows = NR
			for (i = 1; i < NF; i++) {
				cell[NR, i] = $i == "" ? "-" : $i
				if (length(cell[NR, i]) > width[i])
					width[i] = length(cell[NR, i])
			}
			columns = NF - 1
		}
		function rule(   i, j, line) {
			for (i = 1; i <= columns; i++) {
				line = line (i > 1 ? " " : "")
				for (j = 0; j < width[i]; j++)
					line = line "="
			}
			return line
		}
		END {
			print rule()
			for (r = 1; r <= rows; r++) {
				line = ""
				for (i = 1; i <= columns; i++)
					line = line sprintf("%s%-*s", i > 1 ? " " : "", width[i], cell[r, i])
				sub(/ +$/, "", line)
				print line
				if (r == 1)
					print rule()
			}
			print rule()
		}'
}

# put_into DOCUMENT NAME: replace what is between the comments ".. NAME" and ".. end of NAME" by the standard input
put_into() {
	local file new

	(($(grep -cxE "\.\. (end of )?$2" "$1") == 2)) || die "$1 lacks the comments '$2' and 'end of $2'"
	file=$(mktemp)
	new=$(mktemp)
	cat >"$file"
	awk -v name="$2" -v file="$file" '
		$0 == ".. end of " name { skip = 0 }
		!skip { print }
		$0 == ".. " name {
			skip = 1
			print ""
			while ((getline line <file) > 0)
				print line
			print ""
		}' "$1" >"$new"
	cat "$new" >"$1"
	rm -f "$file" "$new"
}
