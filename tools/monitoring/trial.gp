# SPDX-License-Identifier: GPL-2.0
# Panels of the dashboard, from what Prometheus had during the trial. Variables: data, a directory with a file for
# each panel

set terminal svg size 1000,640 font "sans-serif,11" background "white" name "monitoring"
set multiplot layout 2,2
set xlabel "seconds" offset 0,0.5
set key outside below center maxrows 5 noenhanced Left reverse
set yrange [0:*]
set offsets 0, 0, graph 0.08, 0
set grid
set style data lines
set datafile separator "\t"
stats data."/alerts" using 2 nooutput
set xrange [0:STATS_max + 10]
do for [name in "counters units denials alerts"] {
	file = data."/".name
	stats file using 2 nooutput
	set title system("cat ".file.".title") noenhanced
	plot for [i = 0:STATS_blocks - 1] file index i using 2:3 linewidth 5 - i title columnheader(1)
}
