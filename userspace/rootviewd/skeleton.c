// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A skeleton; skeleton.h is the contract.
 *
 * Paths in here are absolute in the image; the root folder's is "".  A path that
 * was resolved has no symbolic link in it, so the kernel can be given it as it is.
 */
#include "skeleton.h"

#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/rootview.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "label.h"
#include "log.h"
#include "util.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FOLDER_MODE 0755
#define FILE_MODE 0644
#define TMPFS_MODE 01777

static const char label_name[] = "security.selinux";

/* What *at() calls take instead of a path. */
static const char *below(const char *path)
{
	return *path ? path + 1 : ".";
}

/*
 * Resolving a path in the image.
 */

static int failed_look(struct failure *f, const char *image, const char *path, int error)
{
	char step[256];

	snprintf(step, sizeof(step), "look for \"%.200s\" in the image", path);
	return failed_step(f, image, step, error, NULL);
}

static void drop_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* Appends the component of @n bytes at @name; false if the result would be too long. */
static bool append_component(char *path, const char *name, size_t n)
{
	size_t length = strlen(path);

	if (length + 1 + n >= PATH_MAX)
		return false;
	path[length] = '/';
	memcpy(path + length + 1, name, n);
	path[length + 1 + n] = '\0';
	return true;
}

static unsigned int depth_of(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* Reads the link @path: its length, 0 if it is no link or not there, or a negative errno. */
static ssize_t read_link(int image, const char *path, char target[static PATH_MAX])
{
	ssize_t n = readlinkat(image, below(path), target, PATH_MAX);

	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	target[n] = '\0';
	return n;
}

/* A path on its way from what was asked for to a real one. */
struct walk {
	char real[PATH_MAX];	/* what has been resolved */
	char *buffer;
	const char *rest;	/* what has not, a part of @buffer */
	unsigned int links;
};

/* Takes the next component out of the rest; false if there is none. */
static bool next_component(struct walk *w, const char **ret, size_t *ret_size)
{
	w->rest += strspn(w->rest, "/");
	*ret = w->rest;
	*ret_size = strcspn(w->rest, "/");
	w->rest += *ret_size;
	return *ret_size > 0;
}

/* Replaces the last component, a link, by its target. */
static int follow_link(struct walk *w, const char *target)
{
	char *joined;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (*target == '/')
		*w->real = '\0';
	else
		drop_last(w->real);
	if (asprintf(&joined, "%s/%s", target, w->rest) < 0)
		return -ENOMEM;
	free(w->buffer);
	w->buffer = joined;
	w->rest = joined;
	return 0;
}

/* Goes on to the component @name; with @is_link, its name alone counts. */
static int advance_component(struct walk *w, int image, const char *name, size_t size, bool is_link)
{
	char target[PATH_MAX];
	ssize_t n;

	if (size == 1 && name[0] == '.')
		return 0;
	if (size == 2 && name[0] == '.' && name[1] == '.') {
		drop_last(w->real);
		return 0;
	}
	if (!append_component(w->real, name, size))
		return -E2BIG;
	if (is_link && !w->rest[strspn(w->rest, "/")])
		return 0;
	n = read_link(image, w->real, target);
	return n > 0 ? follow_link(w, target) : n;
}

static int walk_path(struct walk *w, int image, const struct mount_point *want)
{
	const char *name;
	size_t size;
	int r = 0;

	w->buffer = strdup(want->path);
	w->rest = w->buffer;
	if (!w->buffer)
		return -ENOMEM;
	while (r == 0 && next_component(w, &name, &size))
		r = advance_component(w, image, name, size, want->kind == MOUNT_POINT_LINK);
	free(w->buffer);
	return r;
}

/*
 * Writes the real path of @want to @real.  What is not there is taken for a
 * folder, so a ".." behind it leads back; container runtimes do the same.
 */
static int resolve_path(int image, const char *image_path, const struct mount_point *want,
			char real[static PATH_MAX], struct failure *f)
{
	struct walk w = { .links = 0 };
	int r = walk_path(&w, image, want);

	if (r == -E2BIG)
		return invalid_point(f, want->path,
				     "leads to a path that is longer than 4095 bytes");
	if (r == -ENOTDIR)
		return invalid_point(f, want->path, "leads through a file");
	if (r == -ELOOP)
		return invalid_point(f, want->path,
			       "leads through a loop of symbolic links, or too many of them");
	if (r < 0)
		return failed_look(f, image_path, w.real, -r);
	if (depth_of(w.real) > MOUNT_POINT_DEPTH_MAX)
		return invalid_point(f, want->path, "leads to a path of more than 64 components");
	strcpy(real, w.real);
	return 0;
}

/*
 * Finding what is missing.
 */

static int check_kind(const struct mount_point *want, mode_t mode, struct failure *f)
{
	if ((want->kind == MOUNT_POINT_DIRECTORY || want->kind == MOUNT_POINT_TMPFS) &&
	    !S_ISDIR(mode))
		return invalid_point(f, want->path, "is no directory in the image");
	if (want->kind == MOUNT_POINT_FILE && S_ISDIR(mode))
		return invalid_point(f, want->path,
				     "is to be a file, and is a directory in the image");
	return 0;
}

static int find_one(int image, const char *image_path, const struct mount_point *want,
		    struct mount_points *missing, struct failure *f)
{
	char real[PATH_MAX];
	struct stat st;
	int r;

	if (resolve_path(image, image_path, want, real, f) < 0)
		return -1;
	if (fstatat(image, below(real), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return check_kind(want, st.st_mode, f);
	if (errno == ENOTDIR)
		return invalid_point(f, want->path, "leads through a file");
	if (errno != ENOENT)
		return failed_look(f, image_path, real, errno);
	r = mount_points_add(missing, real, want->kind, want->target);
	if (r == -EEXIST)
		return invalid_point(f, want->path,
				     "is the same as another one, and not of its kind");
	return r < 0 ? failed_look(f, image_path, real, -r) : 0;
}

static int add_parents(struct mount_points *all, const char *path)
{
	char parent[PATH_MAX];
	int r = 0;

	for (const char *end = strchr(path + 1, '/'); r == 0 && end; end = strchr(end + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(end - path), path);
		r = mount_points_add(all, parent, MOUNT_POINT_DIRECTORY, NULL);
	}
	return r;
}

/*
 * Adds all of @points and all folders on the way to them to @all, where parents
 * then come before what is in them.  -EEXIST, with *@culprit, if one of @points
 * is in another that is no directory.
 */
static int add_with_parents(struct mount_points *all, const struct mount_points *points,
			    const struct mount_point **culprit)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < points->n; i++) {
		const struct mount_point *point = &points->list[i];

		*culprit = point;
		r = add_parents(all, point->path);
		if (r == 0)
			r = mount_points_add(all, point->path, point->kind, point->target);
	}
	return r;
}

static int check_together(const char *image_path, const struct mount_points *missing,
			  struct failure *f)
{
	struct mount_points all = { .list = NULL };
	const struct mount_point *culprit;
	int r = add_with_parents(&all, missing, &culprit);

	mount_points_free(&all);
	if (r == -EEXIST)
		return invalid_point(f, culprit->path, "is in another one that is no directory");
	return r < 0 ? failed_look(f, image_path, culprit->path, -r) : 0;
}

int skeleton_find_missing(const char *image, const struct mount_points *wanted,
			  struct mount_points *ret, struct failure *f)
{
	cleanup_close int fd = open(image, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct mount_points missing = { .list = NULL };
	int r = 0;

	if (fd < 0)
		return failed_step(f, image, "open the image's root folder", errno, NULL);
	for (size_t i = 0; r == 0 && i < wanted->n; i++)
		r = find_one(fd, image, &wanted->list[i], &missing, f);
	if (r == 0)
		r = check_together(image, &missing, f);
	if (r < 0) {
		mount_points_free(&missing);
		return -1;
	}
	*ret = missing;
	return 0;
}

int skeleton_tell_missing(const char *image, const struct mount_points *wanted, char **ret_text,
			  struct failure *f)
{
	struct mount_points missing;

	if (skeleton_find_missing(image, wanted, &missing, f) < 0)
		return -1;
	*ret_text = mount_points_to_text(&missing);
	mount_points_free(&missing);
	return *ret_text ? 0 : failed_step(f, image, "write down what it lacks", 0,
					   "memory is short, or the name of something is not UTF-8");
}

/*
 * Attributes.
 */

/* The label is handled apart. */
static bool is_copied(const char *name)
{
	/* What overlayfs itself makes of an image's attributes must not be asked for. */
	if (after_prefix(name, "trusted.overlay."))
		return false;
	/* A signature holds for one inode. */
	return !streq(name, label_name) && !streq(name, "security.evm");
}

/* An entry of an ACL as an attribute has it; all of it is little-endian. */
struct acl_entry {
	uint16_t tag;
	uint16_t permissions;
	uint32_t id;
};

#define ACL_HEADER_SIZE	sizeof(uint32_t)
#define ACL_USER	0x02
#define ACL_GROUP	0x08

static bool names_nobody(const struct acl_entry *entry)
{
	return (le16toh(entry->tag) == ACL_USER || le16toh(entry->tag) == ACL_GROUP) &&
	       entry->id == UINT32_MAX;
}

/*
 * Takes the entries out of an ACL of @size bytes that name somebody whom the id map lacks: the
 * kernel tells 2^32-1 for them, and takes it from nobody.  Returns the size then.
 */
static size_t drop_unmapped(char *acl, size_t size)
{
	struct acl_entry *entries = (struct acl_entry *)(acl + ACL_HEADER_SIZE);
	size_t n = size < ACL_HEADER_SIZE ? 0 : (size - ACL_HEADER_SIZE) / sizeof(*entries);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!names_nobody(&entries[i]))
			entries[kept++] = entries[i];
	return size - (n - kept) * sizeof(*entries);
}

/* The value of an attribute as it can be given to a folder of the skeleton: its size. */
static size_t adapt_value(const char *name, const char *path, char *value, size_t size)
{
	size_t adapted = after_prefix(name, "system.posix_acl_") ? drop_unmapped(value, size) :
								   size;

	if (adapted != size)
		log_warning("\"%s/\" supplies mount points, and loses %zu entries of %s: they name "
			    "users or groups that the id map lacks", path,
			    (size - adapted) / sizeof(struct acl_entry), name);
	return adapted;
}

static int copy_xattrs(int from, int to, const char *path)
{
	char value[XATTR_SIZE_MAX] __attribute__((aligned(__alignof__(struct acl_entry))));
	char names[XATTR_LIST_MAX];
	ssize_t size = flistxattr(from, names, sizeof(names));

	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (!is_copied(name))
			continue;
		n = fgetxattr(from, name, value, sizeof(value));
		/* What the runtime folder cannot hold (user.* before 6.6) is left out. */
		if (n < 0)
			return -errno;
		if (fsetxattr(to, name, value, adapt_value(name, path, value, n), 0) < 0 &&
		    errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

static int copy_attributes(int from, int to)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return futimens(to, times) < 0 ? -errno : 0;
}

/* The length of a folder's label, 0 if it has none, or a negative errno. */
static ssize_t get_label(int fd, char label[static ROOTVIEW_LABEL_MAX + 1])
{
	ssize_t n = fgetxattr(fd, label_name, label, ROOTVIEW_LABEL_MAX);

	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
	label[n] = '\0';
	return n;
}

/*
 * A folder without a label.  What the kernel says that it has, policies let no file have
 * elsewhere: in the skeleton it is one that containers share.
 */
static int set_shared_label(int to)
{
	cleanup_free char *label = NULL;
	struct failure f;

	if (label_of_shared_files(&label, &f) < 0 || !label)
		return -EACCES;
	return fsetxattr(to, label_name, label, strlen(label) + 1, 0) < 0 ? -errno : 0;
}

static int copy_label(int from, int to)
{
	char label[ROOTVIEW_LABEL_MAX + 1];
	ssize_t n = get_label(from, label);

	if (n <= 0)
		return n;
	if (fsetxattr(to, label_name, label, n, 0) == 0)
		return 0;
	if ((errno == EACCES || errno == EINVAL) && label_is_none(label))
		return set_shared_label(to);
	return -errno;
}

/* Gives what is called @name the label of @folder, which it is in. */
static int inherit_label(int folder, const char *name)
{
	char label[ROOTVIEW_LABEL_MAX + 1], path[PATH_MAX];
	ssize_t n = get_label(folder, label);

	if (n <= 0)
		return n;
	/* A link has no descriptor that could be used instead. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
	return lsetxattr(path, label_name, label, n, 0) < 0 ? -errno : 0;
}

/*
 * Making.
 */

struct job {
	int image, skeleton;	/* root folders */
	uid_t uid;
	gid_t gid;
	bool labels;
};

/* Opens a folder by its real path. */
static int open_folder(int root, const char *path)
{
	struct open_how how = {
		.flags = FOLDER_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd = syscall(SYS_openat2, root, below(path), &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int open_parent(int root, const char *path, const char **ret_name)
{
	char parent[PATH_MAX];

	*ret_name = strrchr(path, '/') + 1;
	snprintf(parent, sizeof(parent), "%.*s", (int)(*ret_name - 1 - path), path);
	return open_folder(root, parent);
}

static int make_file(int folder, const char *name)
{
	cleanup_close int fd = openat(folder, name,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				      FILE_MODE);

	return fd < 0 ? -1 : 0;
}

/* Makes it; its folder is there. */
static int make_point(const struct job *job, const struct mount_point *point)
{
	const char *name;
	cleanup_close int folder = open_parent(job->skeleton, point->path, &name);
	int r = -1;

	if (folder < 0)
		return folder;
	switch (point->kind) {
	case MOUNT_POINT_DIRECTORY:
	case MOUNT_POINT_TMPFS:
		r = mkdirat(folder, name, FOLDER_MODE);
		break;
	case MOUNT_POINT_FILE:
		r = make_file(folder, name);
		break;
	case MOUNT_POINT_LINK:
		r = symlinkat(point->target, folder, name);
		break;
	}
	return r < 0 ? -errno : 0;
}

/* Finishes what the image does not have. */
static int finish_new(const struct job *job, const struct mount_point *point)
{
	static const mode_t modes[] = {
		[MOUNT_POINT_DIRECTORY] = FOLDER_MODE,
		[MOUNT_POINT_FILE] = FILE_MODE,
		[MOUNT_POINT_TMPFS] = TMPFS_MODE,
	};
	const char *name;
	cleanup_close int folder = open_parent(job->skeleton, point->path, &name);

	if (folder < 0)
		return folder;
	if (fchownat(folder, name, job->uid, job->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (point->kind != MOUNT_POINT_LINK &&
	    fchmodat(folder, name, modes[point->kind], 0) < 0)
		return -errno;
	return job->labels ? inherit_label(folder, name) : 0;
}

/* Finishes a folder that the image, too, has: @from. */
static int finish_repeated(const struct job *job, const char *path, int from)
{
	cleanup_close int to = open_folder(job->skeleton, path);
	int r;

	if (to < 0)
		return to;
	r = copy_xattrs(from, to, path);
	if (r == 0 && job->labels)
		r = copy_label(from, to);
	/* After the attributes, which may change the mode; and the times last. */
	return r < 0 ? r : copy_attributes(from, to);
}

static int finish_point(const struct job *job, const struct mount_point *point)
{
	cleanup_close int from = -1;

	if (point->kind != MOUNT_POINT_DIRECTORY)
		return finish_new(job, point);
	from = open_folder(job->image, point->path);
	if (from == -ENOENT)
		return finish_new(job, point);
	return from < 0 ? from : finish_repeated(job, point->path, from);
}

/*
 * Everything is made before anything is finished: folders whose times are set
 * do not change again, and no default ACL is inherited.
 */
static int fill_folder(const struct job *job, const struct mount_points *all,
		       const struct mount_point **culprit)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++) {
		*culprit = &all->list[i];
		r = make_point(job, *culprit);
	}
	if (r == 0) {
		*culprit = NULL;
		r = finish_repeated(job, "", job->image);
	}
	/* Parents first, as labels are inherited. */
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		*culprit = &all->list[i];
		r = finish_point(job, *culprit);
	}
	return r;
}

static int make_points(const char *path, struct job *job, const struct mount_points *missing,
		       struct failure *f)
{
	struct mount_points all = { .list = NULL };
	const struct mount_point *culprit = NULL;
	cleanup_close int fd = open(path, FOLDER_FLAGS);
	char step[256];
	int r;

	job->skeleton = fd;
	r = fd < 0 ? -errno : add_with_parents(&all, missing, &culprit);
	if (r == 0)
		r = fill_folder(job, &all, &culprit);
	if (r < 0) {
		snprintf(step, sizeof(step), "supply \"%.200s\" in this skeleton",
			 culprit ? culprit->path : "/");
		failed_step(f, path, step, -r, NULL);
	}
	mount_points_free(&all);
	return r < 0 ? -1 : 0;
}

int skeleton_make(const char *path, const char *image, const struct mount_points *missing,
		  uid_t uid, gid_t gid, bool labels, struct failure *f)
{
	cleanup_close int from = open(image, FOLDER_FLAGS);
	struct job job = { .image = from, .uid = uid, .gid = gid, .labels = labels };

	if (from < 0)
		return failed_step(f, image, "open the image's root folder", errno, NULL);
	if (mkdir(path, 0700) < 0)
		return failed_step(f, path, "make this folder", errno, NULL);
	return make_points(path, &job, missing, f);
}
