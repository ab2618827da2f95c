/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The rings: one for each CPU, in memory that user space maps (src/bpf/event-ring.ts). A part of bpf/utrace.bpf.c.
 * BPF's own ring buffer takes a lock and two calls for each record, which cost as much as all the rest of a hit.
 * Several may write to a ring at once: threads that are preempted, and those that tell what happened on another CPU.
 */

struct record {
	__u64 time_ns;
	__u64 stack;
	__u32 thread_and_round; /* thread in the lower 22 bits (PID_MAX_LIMIT); it is written last, and says that the record is complete */
	__u32 kind_and_function; /* kind in the upper 5 bits */
};
#define ROUND_SHIFT 22

struct ring {
	__u64 taken; /* records for which a place was taken */
	__u64 unused[7];
	__u64 consumed; /* records that were read */
	__u64 also_unused[503];
	struct record records[];
};
MAP(rings, BPF_MAP_TYPE_ARRAY, 4, 0, 0, BPF_F_MMAPABLE);

/* A place in a ring. */
struct place {
	struct record *record; /* 0: there is none */
	__u32 round;
};

/*
 * Another thread may take the place between the look and the taking, a few nanoseconds apart: once in a long while, and not twice in
 * a row. Each more is another way that the verifier follows through all that comes after.
 */
#define TRIES_MAX 2

static __always_inline struct place take_place(struct ring *ring)
{
	struct place place = {0, 0};

	for (int i = 0; i < TRIES_MAX; i++) {
		__u64 number = *(volatile __u64 *)&ring->taken;

		if (number - *(volatile __u64 *)&ring->consumed >= config.ring_records)
			break;
		if (__sync_val_compare_and_swap(&ring->taken, number, number + 1) != number)
			continue;
		place.record = &ring->records[number & (config.ring_records - 1)];
		place.round = (number >> config.ring_records_log2) + 1;
		break;
	}
	return place;
}

static __always_inline void write_record(struct place place, __u64 time_ns, __u32 thread, __u32 kind, __u32 function,
					 __u64 stack)
{
	struct record *record = place.record;

	record->time_ns = time_ns;
	record->stack = stack;
	record->kind_and_function = kind << KIND_SHIFT | function;
	/* x86 keeps the order of writes. */
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&record->thread_and_round = thread | place.round << ROUND_SHIFT;
}
