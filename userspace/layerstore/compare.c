// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Comparing directory trees; compare.h is the contract.
 */
#include "compare.h"

#include <search.h>

#include "tree.h"
#include "util.h"

#define cleanup_entry cleanup_with(tree_entry_free)
#define cleanup_names cleanup_with(tree_names_free)

/* What was found; its path follows. */
struct found {
	struct found *next;
	enum change kind;
	char path[];
};

/* A file with several names, one of which at least differs. */
struct link {
	ino_t inode;
	nlink_t names;
	nlink_t found;
};

struct comparison {
	int lower;
	int upper;
	struct layer_error *error;
	struct found *first, **end;
	void *links;		/* a tree of struct link, by inode */
	bool incomplete;	/* not all of its names were found, for one of them */
};

/* A directory that is compared, and those that it lies in. */
struct level {
	const struct level *above;
	const char *path;
	bool in_lower;
	bool in_upper;
	/* Nobody was told of it yet: it is, once something in it differs. */
	bool *untold;
};

static int fail(const struct comparison *c, const char *path, int error)
{
	return layer_failed(c->error, LAYER_FAILED, "/%s: cannot look at it: %s", path,
			    strerror(error));
}

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool has_several_names(const struct stat *st)
{
	return !S_ISDIR(st->st_mode) && st->st_nlink > 1;
}

static bool is_linked(const struct comparison *c, const struct stat *st)
{
	const struct link key = { .inode = st->st_ino };

	return has_several_names(st) && tfind(&key, &c->links, compare_links);
}

static int add_link(struct comparison *c, const char *path, const struct stat *st)
{
	struct link *link = malloc(sizeof(*link)), **found;

	if (!link)
		return fail(c, path, ENOMEM);
	*link = (struct link){ .inode = st->st_ino, .names = st->st_nlink };
	found = tsearch(link, &c->links, compare_links);
	if (!found || *found != link)
		free(link);
	if (!found)
		return fail(c, path, ENOMEM);
	(*found)->found++;
	return 0;
}

static void check_link(const void *node, VISIT which, void *userdata)
{
	const struct link *link = *(struct link *const *)node;
	struct comparison *c = userdata;

	if (which == postorder || which == leaf)
		c->incomplete |= link->found < link->names;
}

static int add(struct comparison *c, const char *path, enum change kind)
{
	struct found *found = malloc(sizeof(*found) + strlen(path) + 2);

	if (!found)
		return fail(c, path, ENOMEM);
	found->next = NULL;
	found->kind = kind;
	sprintf(found->path, "/%s", path);
	*c->end = found;
	c->end = &found->next;
	return 0;
}

static void forget(struct comparison *c)
{
	while (c->first) {
		struct found *next = c->first->next;

		free(c->first);
		c->first = next;
	}
	c->end = &c->first;
}

static int tell_of_levels(struct comparison *c, const struct level *level)
{
	int r;

	if (!level || !*level->untold)
		return 0;
	r = tell_of_levels(c, level->above);
	if (r != 0)
		return r;
	*level->untold = false;
	return add(c, level->path, CHANGE_MODIFIED);
}

static int tell(struct comparison *c, const struct level *level, const char *path,
		enum change kind)
{
	return tell_of_levels(c, level) ?: add(c, path, kind);
}

static bool same_xattrs(const struct tree_entry *a, const struct tree_entry *b)
{
	if (a->n_xattrs != b->n_xattrs)
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++) {
		const struct tree_xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		if (!streq(x->name, y->name) || x->size != y->size ||
		    memcmp(x->value, y->value, x->size))
			return false;
	}
	return true;
}

static bool same(const struct tree_entry *a, const struct tree_entry *b)
{
	const struct stat *x = &a->st, *y = &b->st;

	if (x->st_mode != y->st_mode || x->st_uid != y->st_uid || x->st_gid != y->st_gid ||
	    x->st_rdev != y->st_rdev || !streq_null(a->target, b->target) || !same_xattrs(a, b))
		return false;
	return S_ISDIR(x->st_mode) ||
	       (x->st_size == y->st_size && x->st_mtim.tv_sec == y->st_mtim.tv_sec &&
		x->st_mtim.tv_nsec == y->st_mtim.tv_nsec);
}

static int compare_directory(struct comparison *c, const struct level *level);

/* Of what is in both or in the upper tree; @kind is that of the entry itself, if it @differs. */
static int go_into(struct comparison *c, const struct level *above, const char *path,
		   bool in_lower, bool in_upper, bool differs, enum change kind)
{
	bool untold = !differs;
	const struct level level = {
		.above = above, .path = path, .untold = &untold,
		.in_lower = in_lower, .in_upper = in_upper,
	};
	int r = differs ? tell(c, above, path, kind) : 0;

	return r != 0 || !in_upper ? r : compare_directory(c, &level);
}

static int compare_both(struct comparison *c, const struct level *level, const char *path)
{
	cleanup_entry struct tree_entry lower = { .n_xattrs = 0 }, upper = { .n_xattrs = 0 };
	int r = tree_look(c->lower, path, &lower);
	bool differs;

	if (r == 0)
		r = tree_look(c->upper, path, &upper);
	/* It goes while we look: nobody can say when it is gone. */
	if (r == -ENOENT)
		return tell(c, level, path, CHANGE_DELETED);
	if (r < 0)
		return fail(c, path, -r);
	differs = !same(&lower, &upper) || is_linked(c, &upper.st);
	if (differs && has_several_names(&upper.st) && add_link(c, path, &upper.st) < 0)
		return -1;
	return go_into(c, level, path, S_ISDIR(lower.st.st_mode), S_ISDIR(upper.st.st_mode),
		       differs, CHANGE_MODIFIED);
}

static int compare_added(struct comparison *c, const struct level *level, const char *path)
{
	cleanup_entry struct tree_entry upper = { .n_xattrs = 0 };
	int r = tree_look(c->upper, path, &upper);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail(c, path, -r);
	if (has_several_names(&upper.st) && add_link(c, path, &upper.st) < 0)
		return -1;
	return go_into(c, level, path, false, S_ISDIR(upper.st.st_mode), true, CHANGE_ADDED);
}

/* Whichever of the next names comes first; one that is in both is taken from both. */
static int compare_next(struct comparison *c, const struct level *level,
			const struct tree_names *lower, size_t *l,
			const struct tree_names *upper, size_t *u)
{
	int order = *l == lower->n ? 1 : *u == upper->n ? -1 :
		    strcmp(lower->list[*l], upper->list[*u]);
	const char *name = order <= 0 ? lower->list[*l] : upper->list[*u];
	cleanup_free char *path = tree_join(level->path, name);

	if (!path)
		return fail(c, level->path, ENOMEM);
	*l += order <= 0;
	*u += order >= 0;
	if (!*level->path && streq(name, "lost+found"))
		return 0;
	return order < 0 ? tell(c, level, path, CHANGE_DELETED) :
	       order > 0 ? compare_added(c, level, path) : compare_both(c, level, path);
}

static int compare_directory(struct comparison *c, const struct level *level)
{
	cleanup_names struct tree_names lower = { .n = 0 }, upper = { .n = 0 };
	size_t l = 0, u = 0;
	int r = 0;

	if (level->in_lower)
		r = tree_list(c->lower, level->path, &lower);
	if (r == 0 && level->in_upper)
		r = tree_list(c->upper, level->path, &upper);
	/* It went while we looked. */
	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		return fail(c, level->path, -r);
	while (r == 0 && (l < lower.n || u < upper.n))
		r = compare_next(c, level, &lower, &l, &upper, &u);
	return r;
}

static int compare_roots(struct comparison *c)
{
	bool untold = false;
	const struct level root = {
		.path = "", .untold = &untold, .in_lower = c->lower >= 0, .in_upper = true,
	};

	forget(c);
	return compare_directory(c, &root);
}

/*
 * A new name of an old file makes all of its names differ, also those that were passed
 * by then.  That is rare: the trees are compared once more in that case.
 */
int compare_trees(int lower, int upper, change_told_t each, void *userdata,
		  struct layer_error *error)
{
	struct comparison c = { .lower = lower, .upper = upper, .error = error };
	int r = compare_roots(&c);

	twalk_r(c.links, check_link, &c);
	if (r == 0 && c.incomplete)
		r = compare_roots(&c);
	for (const struct found *f = c.first; r == 0 && f; f = f->next)
		r = each(f->path, f->kind, userdata);
	forget(&c);
	tdestroy(c.links, free);
	return r;
}
