/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device-mapper target "rootview".
 */
#ifndef ROOTVIEW_TARGET_H
#define ROOTVIEW_TARGET_H

int rootview_target_init(void);
void rootview_target_exit(void);

#endif /* ROOTVIEW_TARGET_H */
