// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: the program fuzz, built for 32-bit programs.
 */
#include "fuzz.c"
