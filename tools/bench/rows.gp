# SPDX-License-Identifier: GPL-2.0
# Cost of a row against the number of rows. Variables: data (raw data), kernel

set terminal svg size 900,560 font "sans-serif,13" background "white" name "rows"
set title "Reading the counters of many users, Linux ".kernel
set xlabel "rows: (user namespace, user) pairs with counters"
set ylabel "instructions for each row"
set logscale xy
set format x "%.0s%c"
set format y "%.0s%c"
set grid
set key outside right top
set xrange [1000:100000]
set style data linespoints
cost(way) = "< awk -F, '$1 == \"users\" && $3 == \"".way."\" { print $2, $4 / $2 }' ".data
plot cost("ucountview") title "ucountview", \
     cost("ucountview --numeric") title "ucountview --numeric", \
     cost("ucountview --numeric -r") title "the same, --raw", \
     cost("debugfs") title "debugfs ucounts", \
     cost("snapshot") title "snapshot (ioctl)", \
     cost("floor-copy") title "floor: copy of the table", \
     cost("read-stride") title "reading a snapshot (ioctl)"
