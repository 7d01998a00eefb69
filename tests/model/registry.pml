// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of a registry, its views and its tables, for spin: every order in which
 * device-mapper, clients of netlink and messages, failing reads and the module's end
 * can meet.  doc/lifetime.md says in words what this says in code, and names what
 * each process stands for; kmod/registry.c is what it was written after.
 *
 * There are one mapped device and TABLES tables, of which two are there at a time; each
 * may be the first of a registry, when the one before is gone.
 *
 * WITHOUT_X leaves something out that the module does: then spin has to find out.
 */

#ifndef TABLES
#define TABLES		3
#endif
#ifndef CLIENTS
#define CLIENTS		1
#endif
#define REGISTRIES	TABLES
#define NONE		255

/* What one registry is, and what is true of it. */
typedef registry {
	bool exists;		/* its memory is there */
	bool listed;		/* in the list of registries */
	bool gone;
	bool bound;
	byte instances;
	byte ref;
	byte live;		/* a table's number, or NONE */
	byte views;
	byte created, deleted, went;	/* went: with the origin */
	byte backing;		/* the origin that it is bound to */
	bool failed;
	bool work;		/* announce_failure is queued */
	bool working;		/* and runs */
	bool lock;
}

registry reg[REGISTRIES];
byte made;			/* registries so far */
bool registries_lock;

/* The mapped device, and its tables: TABLES in a run. */
bool md;			/* the device exists */
byte table_reg[TABLES];		/* the registry that the table's target has, or NONE */
byte table_origin[TABLES];	/* what it reads: one of two */
byte current = NONE;		/* the live table, by device-mapper */
byte inactive = NONE;		/* the one that was loaded beside it */
byte loading = NONE;		/* constructed, and not yet there: others may be resumed meanwhile */
byte tables;			/* so far */
byte messages;			/* under way: device-mapper keeps the live table for them */
byte reads;			/* likewise; suspending waits for them */
bool removed;

/* The module: how many keep it loaded, and what it has registered. */
byte users;
bool target = true;
bool family = true;
byte requests;			/* of the family, under way */
bool unloaded;

/* Announced: each must be so once at most, in this order. */
bool said_added[REGISTRIES], said_removed[REGISTRIES];

inline lock_list()
{
	atomic { !registries_lock -> registries_lock = true }
}

inline unlock_list()
{
	registries_lock = false
}

inline lock_registry(n)
{
	atomic { !reg[n].lock -> reg[n].lock = true }
}

inline unlock_registry(n)
{
	reg[n].lock = false
}

#ifdef WITHOUT_GONE
#define without_gone	true
#else
#define without_gone	false
#endif

/* Memory that is freed is looked at by nobody, nor is code that is unloaded run. */
inline touch(n)
{
	assert(reg[n].exists && !unloaded)
}

inline announce(n)
{
	touch(n);
	assert(reg[n].lock);
	/* dm_table_event() on a table that was freed. */
	assert(reg[n].live == NONE || table_reg[reg[n].live] == n)
}

inline put(n)
{
	atomic {
		touch(n);
		assert(reg[n].ref > 0);
		reg[n].ref--;
		if
		:: reg[n].ref == 0 ->
			/* registry_free() */
			assert(!reg[n].listed && !reg[n].lock && reg[n].views == 0);
			assert(!reg[n].work && !reg[n].working && reg[n].gone);
			reg[n].exists = false
		:: else
		fi
	}
}

/* rootview_registry_get(), by a constructor. */
inline get_instance(t)
{
	lock_list();
	if
	:: made > 0 && reg[made - 1].listed -> table_reg[t] = made - 1
	:: else ->
		/* Only after the one before has left the list. */
		assert(made < REGISTRIES);
		atomic {
			reg[made].exists = true;
			reg[made].listed = true;
			reg[made].ref = 1;
			reg[made].live = NONE;
			table_reg[t] = made;
			made++
		}
	fi;
	reg[table_reg[t]].instances++;
	unlock_list()
}

/* rootview_registry_accepts(), by a constructor and before a resume. */
inline accepts(t)
{
	atomic {
		r = table_reg[t];
		!reg[r].lock ->
		accepted = !reg[r].bound || reg[r].backing == table_origin[t]
	}
}

/* rootview_registry_put_instance(), by a destructor. */
inline put_instance(t)
{
	r = table_reg[t];
	touch(r);
	lock_list();
	reg[r].instances--;
	last = reg[r].instances == 0;
	if
	:: last -> reg[r].listed = false
	:: else
	fi;
	unlock_list();
#ifndef WITHOUT_CANCEL
	if
	:: last ->
		/* cancel_work_sync() */
		reg[r].work = false;
		!reg[r].working
	:: else
	fi;
#endif
	lock_registry(r);
#ifndef WITHOUT_LIVE
	if
	:: reg[r].live == t -> reg[r].live = NONE
	:: else
	fi;
#endif
	if
	:: last ->
		reg[r].gone = true;
		reg[r].went = reg[r].views;
		reg[r].views = 0;
		if
		:: reg[r].bound ->
			announce(r);
			assert(said_added[r] && !said_removed[r]);
			said_removed[r] = true
		:: else
		fi
	:: else
	fi;
	unlock_registry(r);
	table_reg[t] = NONE;
	if
	:: last -> put(r)
	:: else
	fi;
	users--
}

/* rootview_registry_resume() */
inline resume(t)
{
	r = table_reg[t];
	lock_registry(r);
	reg[r].live = t;
	reg[r].failed = false;
	if
	:: !reg[r].bound ->
		reg[r].bound = true;
		reg[r].backing = table_origin[t];
		announce(r);
		assert(!said_added[r]);
		said_added[r] = true
	:: else
	fi;
	/* Containers run from one origin. */
	assert(reg[r].backing == table_origin[t]);
	unlock_registry(r)
}

/*
 * device-mapper's side: load, in two steps, between which a table that waits can be
 * resumed; clear, resume, and at last remove; remove may be forced, which puts an error
 * table in the place of the live one first.
 */
proctype device_mapper()
{
	byte r, t;
	bool last, accepted;

	md = true;
	do
	:: atomic {
		/* load: a target's table keeps the module. */
		loading == NONE && tables < TABLES && target -> users++; t = tables; tables++;
		if
		:: table_origin[t] = 0
		:: t > 0 -> table_origin[t] = 1
		fi
	   }
		get_instance(t);
		accepts(t);
		if
		:: accepted -> loading = t
		:: true ->
			/* Refused; or the table fails behind the constructor. */
			put_instance(t)
		fi
	:: loading != NONE ->
		/* It takes the place of another one that was loaded, if there is one. */
		atomic { t = inactive; inactive = loading; loading = NONE }
		if
		:: t != NONE -> put_instance(t)
		:: else
		fi
	:: inactive != NONE ->
		/* clear */
		atomic { t = inactive; inactive = NONE }
		put_instance(t)
	:: inactive != NONE ->
		/* Suspending ends reads and lets no new ones begin; then swap, resume. */
		atomic { reads == 0 -> t = current; current = inactive; inactive = NONE }
		accepts(current);
#ifdef WITHOUT_PRERESUME
		accepted = true;
#endif
		if
		:: accepted -> resume(current)
		:: else
		fi;
		if
		:: t != NONE ->
			/* dm_sync_table(): messages that had it have ended. */
			messages == 0;
			put_instance(t)
		:: else
		fi
	:: current != NONE ->
		/* remove --force */
		atomic { reads == 0 -> t = current; current = NONE }
		messages == 0;
		put_instance(t);
		break
	:: break
	od;
	if
	:: loading != NONE ->
		atomic { t = loading; loading = NONE }
		put_instance(t)
	:: else
	fi;
	/* remove */
	if
	:: inactive != NONE ->
		atomic { t = inactive; inactive = NONE }
		put_instance(t)
	:: else
	fi;
	if
	:: current != NONE ->
		atomic { reads == 0 -> t = current; current = NONE }
		messages == 0;
		put_instance(t)
	:: else
	fi;
	/* No registry knows it any more. */
	assert(made == 0 || !reg[made - 1].exists || reg[made - 1].gone);
	md = false;
	removed = true
}

inline change(n)
{
	if
	:: reg[n].views < 2 && reg[n].created < 2 ->
		reg[n].views++;
		reg[n].created++;
		announce(n)
	:: reg[n].views > 0 ->
		reg[n].views--;
		reg[n].deleted++;
		announce(n)
	:: true
	fi;
	/* rootview_registry_name() asks the mapped device, which must be there. */
	assert(!reg[n].gone && md)
}

/*
 * Netlink: finds a registry, holds on to it, and changes it before it is unlocked; or it is
 * a dump, which locks it when it comes to it.
 */
proctype client()
{
	byte r = NONE;

	atomic {
		if
		:: family -> requests++
		:: else -> goto end
		fi
	}
	lock_list();
	if
	:: made > 0 && reg[made - 1].listed ->
		r = made - 1;
		lock_registry(r);
		assert(md);
		if
#ifdef WITHOUT_REFERENCE
		:: reg[r].bound -> skip
#else
		:: reg[r].bound -> reg[r].ref++
#endif
		:: else -> unlock_registry(r); r = NONE; goto found
		fi
	:: else
	fi;
found:
	unlock_list();
	if
	:: r != NONE ->
		touch(r);
		if
		:: change(r)
		:: unlock_registry(r);
			lock_registry(r);
			touch(r);
			assert((reg[r].gone && !without_gone) || md)
		fi;
		unlock_registry(r);
		put(r)
	:: else
	fi;
	requests--;
end:
	skip
}

/* A message: device-mapper keeps the live table for it. */
proctype message()
{
	byte r;

	atomic {
		if
		:: current != NONE && !removed -> messages++; r = table_reg[current]
		:: else -> goto end
		fi
	}
	lock_registry(r);
	touch(r);
	assert(!reg[r].gone);
	change(r);
	unlock_registry(r);
	messages--;
end:
	skip
}

/* A read that fails, and the work that tells of it. */
proctype reader()
{
	byte r;

	atomic {
		if
		:: current != NONE && !removed -> reads++; r = table_reg[current]
		:: else -> goto end
		fi
	}
	touch(r);
	atomic {
		if
		:: !reg[r].failed -> reg[r].failed = true; reg[r].work = true
		:: else
		fi
	}
	reads--;
end:
	skip
}

proctype worker()
{
	byte r;

end:	do
	:: atomic {
		if
		:: reg[0].work && !reg[0].working -> r = 0
		:: reg[1].work && !reg[1].working -> r = 1
#if TABLES > 2
		:: reg[2].work && !reg[2].working -> r = 2
#endif
		fi;
		reg[r].work = false;
		reg[r].working = true
	   }
		touch(r);
		lock_registry(r);
		announce(r);
		unlock_registry(r);
		reg[r].working = false
	od
}

/* rmmod: refused as long as a table is there; then waits for requests. */
proctype module()
{
	byte i;

	atomic {
		if
		:: users == 0 -> target = false
		:: else -> goto end
		fi
	}
	/* genl_unregister_family() */
	atomic { requests == 0 -> family = false }
	atomic {
		assert(users == 0 && requests == 0);
		for (i : 0 .. REGISTRIES - 1) {
			assert(!reg[i].exists && !reg[i].work && !reg[i].working)
		}
		unloaded = true
	}
end:
	skip
}

init {
	byte i;

	for (i : 0 .. TABLES - 1) {
		table_reg[i] = NONE
	}
	atomic {
		/* First who never ends: spin's processes go in the order of a stack. */
		run worker();
		run device_mapper();
		for (i : 1 .. CLIENTS) {
			run client()
		}
		run message();
		run reader();
		run module()
	}
	/* When all have ended but the worker, nothing is left. */
	_nr_pr == 2 && removed;
	for (i : 0 .. REGISTRIES - 1) {
		assert(!reg[i].exists && !reg[i].work);
		assert(reg[i].created == reg[i].deleted + reg[i].went);
		assert(said_added[i] == said_removed[i])
	}
	assert(users == 0 && requests == 0)
}
