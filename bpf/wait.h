/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A thread waits on its CPU, for a moment, until user space has changed its stack. That takes a fifth of the time of
 * stopping its process, and nobody sees it. If user space does not answer in time, because it is busy or gone, the
 * process is stopped after all. A part of bpf/utrace.bpf.c; the other side is src/bpf/waits.ts.
 */
enum wait_state {
	WAIT_ASKED,    /* somebody is to take it, soon */
	WAIT_TAKEN,    /* the answer is on its way */
	WAIT_ANSWERED, /* the thread goes on */
	WAIT_OVER,     /* it has waited for too long, and is stopped */
};

/* The place where a thread of a CPU waits. */
struct wait {
	__u32 in_use;
	__u32 state; /* the number of the wait, and in the lower 2 bits an enum wait_state */
	__u32 in_vain; /* so many waits in a row */
	__u32 unused[13]; /* up to the next cache line */
};
MAP(waits, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct wait), 0, BPF_F_MMAPABLE);

#define WAIT_STATE_BITS 2
#define WAIT_STATE_MASK 3
/* So long until it is taken, and until it is answered. */
#define WAIT_TAKEN_NS 1000000
#define WAIT_ANSWERED_NS 3000000
/* After so many in vain user space is too busy: it is tried as rarely from then on. */
#define IN_VAIN_MAX 8
/* More looks at it than fit into that time. */
#define WAIT_LOOKS_MAX (1 << 20)

/* A report that a thread waits for: user space is to change its stack. */
struct stack_record {
	struct control_record head;
	__u64 time_ns;
	__u64 trampoline;
	__u32 wait_cpu, wait_number; /* 0: it does not wait, its process is stopped */
	__u32 may_hook_again;        /* for CONTROL_UNWINDS: it will be told where the exception is caught */
	__u32 count;
	struct hooked_return returns[HOOKED_RETURNS_MAX];
};

static __always_inline int is_closing(void)
{
	__u32 first = 0;
	struct function_flags *flags = bpf_map_lookup_elem(&functions, &first);

	return !flags || flags->of[CLOSING];
}

static __always_inline struct wait *begin_wait(struct stack_record *record)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct wait *wait = config.may_wait && !is_closing() ? bpf_map_lookup_elem(&waits, &cpu) : 0;

	record->wait_cpu = cpu;
	record->wait_number = 0;
	if (!wait || __sync_val_compare_and_swap(&wait->in_use, 0, 1))
		return 0;
	if (wait->in_vain >= IN_VAIN_MAX && ++wait->in_vain % IN_VAIN_MAX) {
		*(volatile __u32 *)&wait->in_use = 0;
		return 0;
	}
	record->wait_number = (wait->state >> WAIT_STATE_BITS) + 1;
	*(volatile __u32 *)&wait->state = record->wait_number << WAIT_STATE_BITS | WAIT_ASKED;
	return wait;
}

/* Returns whether there is an answer. */
static __always_inline int end_wait(struct wait *wait, __u64 begin_ns)
{
	__u32 state;

	FOR_UP_TO (WAIT_LOOKS_MAX) {
		__u64 waited_ns = bpf_ktime_get_ns() - begin_ns;

		state = *(volatile __u32 *)&wait->state & WAIT_STATE_MASK;
		if (state == WAIT_ANSWERED || waited_ns > (state == WAIT_TAKEN ? WAIT_ANSWERED_NS : WAIT_TAKEN_NS))
			break;
	}
	/* An answer that comes now comes too late: user space will see that. */
	state = __sync_fetch_and_or(&wait->state, WAIT_OVER) & WAIT_STATE_MASK;
	wait->in_vain = state == WAIT_ANSWERED ? 0 : wait->in_vain + 1;
	*(volatile __u32 *)&wait->in_use = 0;
	return state == WAIT_ANSWERED;
}

/* Reports, and waits until the stack is changed. Returns how long that took; since when, negated, if the process is stopped. */
static __always_inline __s64 wait_for_change(struct stack_record *record, __u32 kind)
{
	struct wait *wait = begin_wait(record);
	__u64 begin_ns = bpf_ktime_get_ns();

	fill_control(&record->head, kind);
	record->time_ns = begin_ns;
	if (!wait)
		bpf_send_signal_thread(SIGSTOP);
	bpf_ringbuf_submit(record, 0);
	if (!wait)
		return -begin_ns;
	if (!end_wait(wait, begin_ns)) {
		bpf_send_signal_thread(SIGSTOP);
		return -begin_ns;
	}
	return bpf_ktime_get_ns() - begin_ns;
}
