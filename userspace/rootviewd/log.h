/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: lines on stderr, with the "<N>" of sd-daemon(3) in front unless a
 * person is reading.
 */
#ifndef ROOTVIEW_LOG_H
#define ROOTVIEW_LOG_H

void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(3, __VA_ARGS__)
#define log_warning(...) log_line(4, __VA_ARGS__)
#define log_info(...)    log_line(6, __VA_ARGS__)
#define log_debug(...)   log_line(7, __VA_ARGS__)

/* Lines above this level are dropped; 6 at the start. */
void log_set_level(int level);

#endif
