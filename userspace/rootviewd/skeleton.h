/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A skeleton: the upper layer of an overlay that supplies what an image lacks.
 *
 * overlayfs needs two layers where nothing is writable, so even a variant that
 * adds nothing has one.  A merged folder shows the owner, mode and extended
 * attributes of its topmost layer: a skeleton has to repeat the image's.
 */
#ifndef ROOTVIEW_SKELETON_H
#define ROOTVIEW_SKELETON_H

/*
 * Makes the folder @path, empty, with the attributes of the folder @image.
 * Returns 0 or a negative errno; then the folder is not there.
 */
int skeleton_make(const char *path, const char *image);

#endif
