// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One measurement; round.h is the contract.
 */
#include "round.h"

#include "util.h"

/* What time has passed, and what was read meanwhile. */
struct lap {
	double started;
	uint64_t sectors;
};

static struct lap lap_begin(void)
{
	return (struct lap){ .sectors = measure_sectors(), .started = measure_now() };
}

static double lap_end(const struct lap *lap, uint64_t *sectors)
{
	double ms = measure_now() - lap->started;

	if (sectors)
		*sectors += measure_sectors() - lap->sectors;
	return ms;
}

static void create_step(struct bench *b, const struct mode *mode, const struct level *level,
			struct round *round, size_t first, size_t n)
{
	struct lap lap = lap_begin();
	double ms;

	mode->create(b, first, n);
	ms = lap_end(&lap, &round->sectors[first]);
	for (size_t i = first; i < first + n; i++) {
		round->create_ms[i] = ms / n;
		if (!level->start)
			continue;
		lap = lap_begin();
		level->start(b, i);
		round->start_ms[i] = lap_end(&lap, &round->sectors[i]);
		round->create_ms[i] += round->start_ms[i];
	}
}

static void delete_step(struct bench *b, const struct mode *mode, const struct level *level,
			struct round *round, size_t first, size_t n)
{
	struct lap lap;
	double ms;

	for (size_t i = first; level->end && i < first + n; i++) {
		lap = lap_begin();
		level->end(b, i);
		round->delete_ms[i] = lap_end(&lap, NULL);
	}
	lap = lap_begin();
	mode->delete(b, first, n);
	ms = lap_end(&lap, NULL);
	for (size_t i = first; i < first + n; i++)
		round->delete_ms[i] += ms / n;
}

typedef void step(struct bench *b, const struct mode *mode, const struct level *level,
		  struct round *round, size_t first, size_t n);

static void each_step(step *do_step, struct bench *b, const struct mode *mode,
		      const struct level *level, struct round *round)
{
	size_t size = mode->batches ? b->batch : 1, n;

	for (size_t i = 0; i < round->n; i += n) {
		n = round->n - i < size ? round->n - i : size;
		do_step(b, mode, level, round, i, n);
	}
}

static struct memory taken(const struct memory *before, const struct memory *after)
{
	return (struct memory){
		.free = before->free - after->free,
		.available = before->available - after->available,
		.page_cache = after->page_cache - before->page_cache,
		.anonymous = after->anonymous - before->anonymous,
		.slab_reclaimable = after->slab_reclaimable - before->slab_reclaimable,
		.slab_unreclaimable = after->slab_unreclaimable - before->slab_unreclaimable,
		.per_cpu = after->per_cpu - before->per_cpu,
	};
}

static void free_containers(struct bench *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(b->containers[i].root);
		free(b->containers[i].id);
	}
	free(b->containers);
}

void round_run(struct bench *b, const struct mode *mode, const struct level *level, size_t n,
	       struct round *ret)
{
	struct memory before, after;
	struct lap lap;

	*ret = (struct round){
		.n = n,
		.create_ms = new_array(n, sizeof(double)),
		.start_ms = new_array(n, sizeof(double)),
		.delete_ms = new_array(n, sizeof(double)),
		.sectors = new_array(n, sizeof(uint64_t)),
	};
	b->containers = new_array(n, sizeof(struct container));
	for (size_t i = 0; i < n; i++)
		b->containers[i].mount = -1;

	if (mode->start)
		mode->start(b);
	measure_drop_caches();
	measure_memory(&before);
	ret->mounts = -measure_mounts();
	ret->devices = -measure_devices();
	lap = lap_begin();
	if (mode->prepare)
		mode->prepare(b);
	ret->prepare_ms = lap_end(&lap, &ret->sectors[0]);
	each_step(create_step, b, mode, level, ret);
	ret->mounts += measure_mounts();
	ret->devices += measure_devices();
	measure_memory(&after);
	ret->memory = taken(&before, &after);
	each_step(delete_step, b, mode, level, ret);
	lap = lap_begin();
	if (mode->settle)
		mode->settle();
	ret->settle_ms = lap_end(&lap, NULL);
	mode->finish(b);
	free_containers(b, n);
}

void round_free(struct round *round)
{
	free(round->create_ms);
	free(round->start_ms);
	free(round->delete_ms);
	free(round->sectors);
}
