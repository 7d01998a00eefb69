/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the running kernel can do for views with an id map.  It is tried: releases say little
 * where interfaces are backported, or switched off.
 */
#ifndef ROOTVIEWCTL_TRIAL_H
#define ROOTVIEWCTL_TRIAL_H

#define TRIAL_TEXT_SIZE 256

enum trial_verdict {
	TRIAL_NOT_MADE,
	TRIAL_FAILED,
	TRIAL_WORKED,
};

struct trial {
	enum trial_verdict verdict;
	char text[TRIAL_TEXT_SIZE];	/* on what it was made, and the error; or why not */
};

struct trials {
	struct trial idmap;		/* an id-mapped mount of ext4 or xfs */
	struct trial overlay;		/* an overlay that lies on one */
};

/*
 * Makes both on a clone of the first such mount, "/" for most, in a process with a mount name
 * space of its own: nobody sees any of it, and nothing is left.  Takes ten seconds at most.
 */
void trials_make(struct trials *ret);

#endif
