/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loan.c - leases: memfds made and sealed, segments lent, taken, revoked, swept.
 */
#include "loan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assertion.h"
#include "backing.h"
#include "mem.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* st_blocks counts these. */
#define BLOCK 512

static int make_memfd(const char *name, uint64_t size)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int err, fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	/* Kernels before 6.3 do not know that one. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size)) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	return fd;
}

static uint64_t data_bytes(const struct tmemd_loan *l)
{
	return (uint64_t)l->segments_max * l->segment_size;
}

static uint64_t offset_of(const struct tmemd_loan *l, uint32_t segment)
{
	return (uint64_t)segment * l->segment_size;
}

/* Mapped first and sealed then: a mapping made later could not be written. */
static int make_control(struct tmemd_loan *l, const struct tmemd_loan_plan *plan)
{
	struct tmem_wire_control *c;
	int fd;

	l->control_bytes = (TMEM_WIRE_CONTROL_BYTES(plan->segments_max) +
			    TMEM_OS_PAGE - 1) &
			   ~(uint64_t)(TMEM_OS_PAGE - 1);
	fd = make_memfd("tmem-control", l->control_bytes);
	if (fd < 0)
		return fd;
	c = mmap(NULL, l->control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	if (c == MAP_FAILED) {
		(void)close(fd);
		return -ENOMEM;
	}
	l->control = c;
	l->epochs = (_Atomic uint32_t *)((uint8_t *)c + TMEM_WIRE_EPOCHS_AT);
	l->classes = (uint8_t *)(l->epochs + plan->segments_max);
	c->magic = TMEM_WIRE_MAGIC;
	c->version = TMEM_WIRE_VERSION;
	c->segment_size = plan->segment_size;
	c->segments_max = plan->segments_max;
	c->segments_limit = plan->segments_max;
	c->daemon = plan->daemon;
	c->uid = plan->uid;
	c->pid = plan->pid;
	(void)strncpy(c->domain, plan->domain, sizeof(c->domain) - 1);
	if (fcntl(fd, F_ADD_SEALS, TMEMD_CONTROL_SEALS)) {
		(void)close(fd);
		return -ENOMEM;
	}
	return fd;
}

static int init(struct tmemd_loan *l, const struct tmemd_loan_plan *plan,
		int *ret_control)
{
	struct stat st;

	l->segment_size = plan->segment_size;
	l->segments_max = plan->segments_max;
	if (fstat(l->fd, &st))
		return -errno;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	*ret_control = make_control(l, plan);
	return *ret_control < 0 ? *ret_control : 0;
}

int tmemd_loan_create(struct tmemd_loan *l, const struct tmemd_loan_plan *plan,
		      int *ret_control)
{
	int err = 0;

	memset(l, 0, sizeof(*l));
	l->fd = make_memfd("tmem-data",
			   (uint64_t)plan->segments_max * plan->segment_size);
	if (l->fd < 0)
		return l->fd;
	if (fcntl(l->fd, F_ADD_SEALS, TMEMD_DATA_SEALS))
		err = -errno;
	if (!err)
		err = init(l, plan, ret_control);
	if (err)
		tmemd_loan_finish(l);
	return err;
}

int tmemd_loan_adopt(struct tmemd_loan *l, const struct tmemd_loan_plan *plan,
		     int data, const uint32_t *epochs, const uint8_t *classes,
		     uint64_t revocations, int *ret_control)
{
	uint32_t n;
	int err;

	memset(l, 0, sizeof(*l));
	l->fd = data;
	err = init(l, plan, ret_control);
	if (err) {
		l->fd = -1; /* still the caller's */
		tmemd_loan_finish(l);
		return err;
	}
	memcpy((void *)l->epochs, epochs, l->segments_max * sizeof(*epochs));
	memcpy(l->classes, classes, l->segments_max);
	l->control->revocations = revocations;
	for (n = 0; n < l->segments_max; n++)
		if (classes[n])
			l->lent[classes[n] - 1]++;
	l->lent_most = tmemd_loan_lent(l);
	return 0;
}

void tmemd_loan_finish(struct tmemd_loan *l)
{
	if (l->control)
		(void)munmap(l->control, l->control_bytes);
	if (l->fd >= 0)
		(void)close(l->fd);
	memset(l, 0, sizeof(*l));
	l->fd = -1;
}

int tmemd_loan_lend(struct tmemd_loan *l, struct tmemd_backing *b, uint32_t cls,
		    struct tmem_wire_loan *ret)
{
	uint8_t *free_class =
		memchr(l->classes + l->lowest, 0, l->segments_max - l->lowest);
	uint32_t n;
	int err;

	TMEM_ASSERT(cls < TMEM_WIRE_CLASSES);
	if (!free_class) {
		l->lowest = l->segments_max;
		return -ENOSPC;
	}
	n = (uint32_t)(free_class - l->classes);
	err = tmemd_backing_fill(b, l->fd, offset_of(l, n), l->segment_size);
	if (err)
		return err;
	l->lowest = n + 1;
	l->classes[n] = (uint8_t)(cls + 1);
	l->lent[cls]++;
	if (tmemd_loan_lent(l) > l->lent_most)
		l->lent_most = tmemd_loan_lent(l);
	ret->segment = n;
	ret->epoch = atomic_load(&l->epochs[n]);
	return 0;
}

static void release(struct tmemd_loan *l, uint32_t n)
{
	tmemd_backing_punch(l->fd, offset_of(l, n), l->segment_size);
	l->lent[l->classes[n] - 1]--;
	l->classes[n] = 0;
	if (n < l->lowest)
		l->lowest = n;
}

int tmemd_loan_take(struct tmemd_loan *l, const struct tmem_wire_loan *loan)
{
	uint32_t n = loan->segment;
	int cls;

	if (n >= l->segments_max)
		return -EINVAL;
	if (atomic_load(&l->epochs[n]) != loan->epoch)
		return -ESTALE;
	if (!l->classes[n])
		return -EINVAL;
	cls = l->classes[n] - 1;
	release(l, n);
	return cls;
}

void tmemd_loan_hint(struct tmemd_loan *l, const uint32_t *segments,
		     uint32_t count)
{
	TMEM_ASSERT(count <= TMEM_WIRE_HINTS_MAX);
	if (count)
		memcpy(l->hints, segments, count * sizeof(*segments));
	l->hints_count = count;
	l->hints_next = 0;
}

/* One is lent. Each hint is looked at once: a lie costs a look, and the liar's own
 * memory. */
static uint32_t next_victim(struct tmemd_loan *l)
{
	const uint8_t wanted = TMEM_WIRE_EPHEMERAL + 1;
	uint8_t *found;
	uint32_t n;

	while (l->hints_next < l->hints_count) {
		n = l->hints[l->hints_next++];
		if (n < l->segments_max && l->classes[n] == wanted)
			return n;
	}
	found = memchr(l->classes + l->hand, wanted, l->segments_max - l->hand);
	if (!found)
		found = memchr(l->classes, wanted, l->segments_max);
	TMEM_ASSERT(found);
	n = (uint32_t)(found - l->classes);
	l->hand = n + 1 < l->segments_max ? n + 1 : 0;
	return n;
}

int tmemd_loan_revoke(struct tmemd_loan *l)
{
	uint32_t n;

	if (!l->lent[TMEM_WIRE_EPHEMERAL])
		return 0;
	n = next_victim(l);
	atomic_fetch_add(&l->epochs[n], 1);
	release(l, n);
	__atomic_fetch_add(&l->control->revocations, 1, __ATOMIC_SEQ_CST);
	return 1;
}

/* Memory between two lent segments; the file position is nobody else's. */
static int64_t sweep_gap(struct tmemd_loan *l, uint32_t from, uint32_t to)
{
	struct stat before, after;
	off_t at = lseek(l->fd, (off_t)offset_of(l, from), SEEK_DATA);

	if (at < 0 || (uint64_t)at >= offset_of(l, to))
		return 0;
	if (fstat(l->fd, &before))
		return 0;
	tmemd_backing_punch(l->fd, offset_of(l, from),
			    offset_of(l, to) - offset_of(l, from));
	if (fstat(l->fd, &after) || after.st_blocks > before.st_blocks)
		return 0;
	return (before.st_blocks - after.st_blocks) * BLOCK;
}

int64_t tmemd_loan_sweep(struct tmemd_loan *l)
{
	uint64_t lent = (uint64_t)tmemd_loan_lent(l) * l->segment_size;
	uint32_t from = l->lowest, to;
	int64_t swept = 0;
	struct stat st;

	if (fstat(l->fd, &st) || (uint64_t)st.st_size != data_bytes(l))
		return -EPERM;
	if ((uint64_t)st.st_blocks * BLOCK <= lent)
		return 0;
	while (from < l->segments_max) {
		for (to = from; to < l->segments_max && !l->classes[to]; to++)
			;
		if (to > from)
			swept += sweep_gap(l, from, to);
		for (from = to; from < l->segments_max && l->classes[from];
		     from++)
			;
	}
	return swept;
}
