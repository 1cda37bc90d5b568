# SPDX-License-Identifier: GPL-2.0
# Cost of finding out who has the watches against their number. Variables: data (raw data), kernel

set terminal svg size 900,560 font "sans-serif,13" background "white" name "watches"
set title "Who has the inotify watches? (100 processes, Linux ".kernel.")"
set xlabel "inotify watches"
set ylabel "instructions of the whole command"
set logscale xy
set format x "%.0s%c"
set format y "%.0s%c"
set grid
set key outside right top
set xrange [1000:1000000]
set yrange [100000:*]
set style data linespoints
cost(way) = "< awk -F, '$1 == \"watches\" && $3 == \"".way."\" { print $2, $4 }' ".data
plot cost("inotify-info") title "inotify-info", \
     cost("fdinfo") title "grep and awk on fdinfo", \
     cost("ucountview holders --numeric -r") title "ucountview holders", \
     cost("ucountview --numeric -r") title "ucountview", \
     cost("true") title "true (starting a process)"
