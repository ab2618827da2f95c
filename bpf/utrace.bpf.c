// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel side of utrace: each probe hit becomes one small record in the ring buffer of its CPU.
 * No stack is walked here: user space rebuilds the call tree from the order of entries and exits of a thread and
 * their stack pointers. The layout of records and maps is mirrored by src/bpf/layout.ts.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* pt_regs of x86-64, as a uprobe program gets it. */
struct registers {
	__u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, flags, rsp, ss;
};

struct map_definition {
	__u32 type, key_size, value_size, max_entries, flags;
};

#define MAP(name, ...) struct map_definition name SEC("maps") = {__VA_ARGS__}

/* Sizes given as 0 are filled in by the loader: the number of CPUs, the bytes of a ring. */
MAP(control, BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 20, 0);
/* What a CPU and the reader of its ring tell each other. */
struct cpu_state {
	__u64 lost;          /* records that found no room, since the last one that says so */
	__u64 reader_sleeps; /* the next record is to wake it up */
	__u64 left_out;      /* calls that were too short to be recorded */
};
MAP(cpus, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct cpu_state), 0, BPF_F_MMAPABLE);
MAP(processes, BPF_MAP_TYPE_HASH, 4, 24, 1 << 14, 0);
MAP(start, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
/* Threads that are stopped, and since when. */
MAP(stopped, BPF_MAP_TYPE_HASH, 4, 8, 1 << 15, BPF_F_NO_PREALLOC);
MAP(wanted_threads, BPF_MAP_TYPE_HASH, 4, 4, 1 << 12, 0);
/* Threads that are within a call that was drawn, and that call. */
MAP(drawn_calls, BPF_MAP_TYPE_HASH, 4, 16, 1 << 15, BPF_F_NO_PREALLOC);

/* A byte of flags for each function id, in one element: a look-up costs nothing then. */
#define FUNCTIONS_MAX (1 << 20)
struct function_flags {
	__u8 of[FUNCTIONS_MAX];
};
MAP(functions, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct function_flags), 1, BPF_F_MMAPABLE);
#define FUNCTION_LEAVES_RETURN_ALONE 1
#define FUNCTION_STARTS 2 /* its call begins, or its call ends, what is traced */
#define FUNCTION_STOPS 4
/* Known where calls are sampled, left out or summed up: what src/trace/functions.ts tells of a function. */
#define FUNCTION_TAIL_CALLS 8
#define FUNCTION_LOOPS 16
#define FUNCTION_EXITS_PROBED 32
#define FUNCTION_ENDS_AT_ENTRY 64
#define FUNCTION_DROPPED 128 /* it costs too much: none of its calls counts any more */
/* The last byte is nobody's: it is set when tracing ends. Calls that have begun may end; none begins any more. */
#define CLOSING (FUNCTIONS_MAX - 1)
/* So is the one before: no call begins until that of a function that starts tracing. */
#define PAUSED (FUNCTIONS_MAX - 2)
/* And the one before that: from now on calls are drawn. */
#define SAMPLING (FUNCTIONS_MAX - 3)
/* And the one before that: deep calls, and short ones, are left out. */
#define LIMITING (FUNCTIONS_MAX - 4)

/*
 * Values that the loader knows before it loads; the verifier treats them as constants. Those between the
 * first and run_context_type are offsets in the kernel's structures.
 */
const volatile struct {
	__u32 tracer_pid;
	__u32 task_pid, task_tgid, task_real_parent, task_signal, task_mm, task_utask;
	__u32 signal_live;
	__u32 utask_return_instances;
	__u32 instance_func, instance_stack, instance_return, instance_next;
	__u32 mm_xol_area, xol_area_address;
	__u32 task_bpf_ctx, run_context_is_return, run_context_uprobe, uprobe_cookie; /* see hit_of */
	__u32 run_context_type; /* id of struct bpf_uprobe_multi_run_ctx; 0: not known */
	__u32 ring_limit; /* a thread that finds more records in its ring waits; 0: none ever does */
	__u32 ring_records, ring_records_log2; /* a ring has room for so many: a power of two */
	__u32 filters_threads; /* only calls of those in `wanted_threads` count */
	__u32 sample_below; /* a call is drawn if a random number of 32 bits is below; 0: all are recorded */
	__u32 depth_limit;  /* so many calls within each other are recorded, at most DEPTH_MAX; 0: all are */
	__u32 duration_min_ns; /* calls that take less are not recorded; 0: all are */
	__u32 may_wait;        /* 1: threads wait on their CPU until user space has changed their stack: there is another CPU */
	__u32 statistics_functions; /* so many functions have room in `statistics` for each CPU */
	__u32 statistics_trace;     /* 1: what is summed up goes to the rings too */
} config SEC(".rodata") = {0};

enum record_kind {
	RECORD_ENTRY,       /* stack: stack pointer at the probe */
	RECORD_RETURN,      /* stack: where the return address was */
	RECORD_RET,         /* stack: stack pointer at the probe, a `ret` or what stands for one */
	RECORD_LOST,        /* stack: number of records that this CPU could not write since its last one */
	RECORD_THREAD_EXIT, /* function: 1 if it was the last thread of its process */
	RECORD_EXEC,        /* stack: id of the process, which is about to run a new image */
	RECORD_FORK,        /* stack: id of the new thread; function: 1 if it belongs to the same process */
	RECORD_UNWOUND,     /* stack: whatever is at or below it has been unwound */
	RECORD_SIGNAL = 9,  /* a handler of the thread is about to be called */
	RECORD_JUMP = 11,   /* as RECORD_RET, at a jump by which the function leaves; stack: where the return address is */
	RECORD_SWITCH = 13, /* function: 0 if the thread runs again, 1 if it waits, 2 if others run in its place */
	RECORD_WAITED = 14, /* stack: nanoseconds that the thread was held up for, up to now; function: 1 if it was on its CPU */
	RECORD_FAULT_AT = 16, /* stack: where an instruction faulted, or the thread is killed; function: its process */
	RECORD_FAULT,         /* stack: stack pointer there; function: 1 if it points at a return into the program */
	RECORD_DRAWN, /* the thread's next entry is of a call that was drawn */
	RECORD_OVER,  /* stack: the calls below it are over, it was not seen how */
	RECORD_HIDDEN = 21, /* stack: nanoseconds that probes have cost the thread so far without a record */
	RECORD_PAGE_FAULT,  /* on a page that was not in place */
};

enum control_kind {
	CONTROL_STARTED, /* the command that utrace started has been stopped before its first instruction */
	CONTROL_LOADED,  /* the dynamic linker has changed the list of modules */
	CONTROL_EXEC,    /* a traced process has a new image, and has run none of it */
	CONTROL_FORKED,  /* a traced process has a child, which has run nothing yet */
	CONTROL_UNWINDS, /* an unwinder is about to read a stack with hooked returns on it: their list follows */
	CONTROL_ENDED,   /* a traced process has no thread left; nothing is stopped */
	CONTROL_FULL,    /* a ring is nearly full */
	CONTROL_LEFT = 7, /* a traced process has a child that is not to be traced, and that has run nothing yet */
	CONTROL_DEEP,    /* many returns are hooked, and a function (parent: its id) calls itself again */
	CONTROL_EVENTS,  /* there are records, and the reader had asked to be told; nothing is stopped */
	CONTROL_CAUGHT,  /* an exception was caught, and returns were hooked before on what is left of the stack: their list follows */
};

struct control_record {
	__u32 kind;
	__u32 pid;     /* the process that was stopped */
	__u32 thread;
	__u32 parent;  /* for CONTROL_FORKED and CONTROL_LEFT: the process that it is a copy of */
};

/* MAX_URETPROBE_DEPTH of the kernel: it hooks no more returns of a thread than this. */
#define HOOKED_RETURNS_MAX 64
/* With so many, user space is to see that limit coming. */
#define MANY_HOOKED_RETURNS 40

/* A return address on the stack that the kernel has replaced by that of its trampoline. */
struct hooked_return {
	__u64 slot;
	__u64 return_address;
	__u64 probe; /* address of the entry probe that hooked it */
};

/* What is known of a traced process: calls into libraries count when they return into [caller_start, caller_end). */
struct process {
	__u64 caller_start, caller_end;
	__u64 flags;
};
#define PROCESS_FOLLOW_FORKS 1
#define PROCESS_CLEANS_CHILDREN 2 /* those that are not followed must not keep the probes that they were born with */
#define PROCESS_NEVER_STOPS 4 /* somebody would see it stopped, who must not */

#define KIND_SHIFT 27
#define SIGSTOP 19

#include "ring.h"

static __always_inline struct ring *ring_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&rings, &cpu);
}

static __always_inline void fill_control(struct control_record *record, __u32 kind)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	record->kind = kind;
	record->pid = pid_tgid >> 32;
	record->thread = pid_tgid;
	record->parent = 0;
}

/* The report itself does it: who waits for reports looks at the rings too. */
static __always_inline void wake_reader(struct cpu_state *here)
{
	struct control_record *record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);

	here->reader_sleeps = 0;
	if (!record)
		return;
	fill_control(record, CONTROL_EVENTS);
	bpf_ringbuf_submit(record, 0);
}

/* Says, before the first record after a gap, how many are missing: the loss stands at its place in the trace. */
static __always_inline void report_lost(struct ring *ring, __u32 cpu, struct cpu_state *here)
{
	__u64 count = __sync_lock_test_and_set(&here->lost, 0);
	struct place place;

	if (!count)
		return;
	place = take_place(ring);
	if (place.record)
		write_record(place, bpf_ktime_get_ns(), cpu, RECORD_LOST, 0, count);
	else
		__sync_fetch_and_add(&here->lost, count);
}

/*
 * The place is taken before the clock is read: whatever is older than a reading of the clock has its place already.
 * `time_ns`, `cpu`: of something that happened before; 0 and this one: now. Returns the time of the record.
 */
static __always_inline __u64 emit_at(__u64 time_ns, __u32 cpu, __u32 thread, __u32 kind, __u32 function,
				     __u64 stack)
{
	struct ring *ring = ring_of(cpu);
	struct cpu_state *here = bpf_map_lookup_elem(&cpus, &cpu);
	struct place place = {0, 0};
	__u64 now;

	if (!here)
		return bpf_ktime_get_ns();
	if (ring) {
		if (here->lost)
			report_lost(ring, cpu, here);
		place = take_place(ring);
	}
	now = time_ns ?: bpf_ktime_get_ns();
	if (!place.record) {
		__sync_fetch_and_add(&here->lost, 1);
		return now;
	}
	write_record(place, now, thread, kind, function, stack);
	if (here->reader_sleeps)
		wake_reader(here);
	return now;
}

static __always_inline __u64 emit_of(__u32 thread, __u32 kind, __u32 function, __u64 stack)
{
	return emit_at(0, bpf_get_smp_processor_id(), thread, kind, function, stack);
}

static __always_inline void tell_held(void);

/* Of the current thread: after the calls that are held back, which are older. */
static __always_inline void emit(__u32 thread, __u32 kind, __u32 function, __u64 stack)
{
	tell_held();
	emit_of(thread, kind, function, stack);
}

/* A call of the kernel's functions costs as much as ten other lines: it is made once for a hit. */
static __always_inline __u32 current_thread(void)
{
	return bpf_get_current_pid_tgid();
}

static __always_inline __u64 read_u64(void *base, __u32 offset)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), base + offset);
	return value;
}

static __always_inline __u32 read_u32(void *base, __u32 offset)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), base + offset);
	return value;
}

/* Where hooked returns of this process return to: its [uprobes] mapping. 0 if it has none. */
static __always_inline __u64 trampoline_of(void *task)
{
	void *mm = (void *)read_u64(task, config.task_mm);
	void *area = mm ? (void *)read_u64(mm, config.mm_xol_area) : 0;

	return area ? read_u64(area, config.xol_area_address) : 0;
}

/*
 * A call into a library is the program's own if it returns into the program's own code, or if a function whose return
 * is hooked has made it by a tail jump: then it returns to the trampoline, which begins a page.
 */
static __always_inline int called_by_program(__u64 stack_pointer, __u32 pid)
{
	struct process *process = bpf_map_lookup_elem(&processes, &pid);
	__u64 return_address = 0;

	if (!process || bpf_probe_read_user(&return_address, sizeof(return_address), (void *)stack_pointer))
		return 0;
	if (return_address >= process->caller_start && return_address < process->caller_end)
		return 1;
	return !(return_address & 0xfff) && return_address == trampoline_of((void *)bpf_get_current_task());
}

#include "iterate.h"

#define FLAG_CARRY 0x001
#define FLAG_PARITY 0x004
#define FLAG_ZERO 0x040
#define FLAG_SIGN 0x080
#define FLAG_OVERFLOW 0x800

/* Whether a `jcc` with this condition code is about to be taken (Intel SDM volume 1, appendix B). */
static __always_inline int is_taken(__u64 flags, __u32 condition)
{
	int less = !(flags & FLAG_SIGN) != !(flags & FLAG_OVERFLOW), holds;

	switch (condition >> 1) {
	case 0:
		holds = !!(flags & FLAG_OVERFLOW);
		break;
	case 1:
		holds = !!(flags & FLAG_CARRY);
		break;
	case 2:
		holds = !!(flags & FLAG_ZERO);
		break;
	case 3:
		holds = !!(flags & (FLAG_CARRY | FLAG_ZERO));
		break;
	case 4:
		holds = !!(flags & FLAG_SIGN);
		break;
	case 5:
		holds = !!(flags & FLAG_PARITY);
		break;
	case 6:
		holds = less;
		break;
	default:
		holds = less || (flags & FLAG_ZERO);
	}
	return holds != (condition & 1);
}

/*
 * Stops the process of this thread and says so to user space, which continues it. The signal is sent to the thread
 * itself: another one might take it late, and this one would run on until then. Without room to say so nothing is
 * stopped: a process must never wait for somebody who does not know.
 */
static __always_inline void stop_process(__u32 kind)
{
	struct control_record *record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);

	if (!record)
		return;
	fill_control(record, kind);
	bpf_send_signal_thread(SIGSTOP);
	bpf_ringbuf_submit(record, 0);
}

/*
 * Stops the process before a ring overflows: what its threads write until all of them have stopped finds room beyond
 * the limit. When tracing ends nobody waits any more.
 */
static __always_inline void wait_for_room(void)
{
	__u32 cpu = bpf_get_smp_processor_id(), first = 0;
	struct function_flags *flags;
	struct ring *ring;

	if (!config.ring_limit)
		return;
	ring = ring_of(cpu);
	if (!ring || ring->taken - ring->consumed <= config.ring_limit)
		return;
	flags = bpf_map_lookup_elem(&functions, &first);
	if (flags && !flags->of[CLOSING])
		stop_process(CONTROL_FULL);
}

/* The same for the events of probes, after which a thread can be stopped. */
static __always_inline void emit_call(__u32 thread, __u32 kind, __u32 function, __u64 stack)
{
	emit(thread, kind, function, stack);
	wait_for_room();
}

/* The attach cookie of a probe: what its instruction stands for. */
#define COOKIE_FUNCTION 0x07ffffff
#define COOKIE_CONDITION_SHIFT 32 /* for an exit by a conditional jump: its condition code plus one */
#define COOKIE_CONDITION_MASK 31
#define COOKIE_ENTRY_SHIFT 32            /* for an entry, in the same place: which kind of probe, an index into hit_costs */
#define COOKIE_EXIT (1ull << 40)         /* an instruction by which the function leaves */
#define COOKIE_LIBRARY_CALL (1ull << 41) /* counts only if it returns into the program */
#define COOKIE_NO_HOOK (1ull << 42)      /* its return is not to be hooked */
#define COOKIE_JUMP (1ull << 43)         /* an exit that the kernel emulates: it costs less than a `ret` */
#define COOKIE_DISPLACEMENT_SHIFT 44     /* words by which the stack pointer is below the return address */
#define COOKIE_DISPLACEMENT_MASK 255

/* Who hits a probe, and which one. */
struct hit {
	struct task_struct *task;
	__u64 stack_pointer, processor_flags;
	__u32 thread, process;
	__u32 is_return; /* of a session: it is not the entry */
	__u64 cookie;
};

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;
extern int bpf_session_is_return(void *ctx) __ksym;

/*
 * All that is to be known of a hit, for one call of the kernel instead of three: what the other two would return lies in the
 * context that the kernel has made for this run (struct bpf_uprobe_multi_run_ctx).
 */
static __always_inline struct hit hit_of(struct registers *ctx, int of_session)
{
	struct hit hit = {.stack_pointer = ctx->rsp, .processor_flags = ctx->flags, .is_return = 0};

	hit.task = bpf_get_current_task_btf();
	if (config.run_context_type) {
		void *task = (void *)hit.task;
		void *context = bpf_rdonly_cast(*(void **)(task + config.task_bpf_ctx), config.run_context_type);
		void *uprobe = *(void **)(context + config.run_context_uprobe);

		hit.thread = *(__u32 *)(task + config.task_pid);
		hit.process = *(__u32 *)(task + config.task_tgid);
		hit.is_return = *(__u8 *)(context + config.run_context_is_return);
		hit.cookie = *(__u64 *)(uprobe + config.uprobe_cookie);
	} else {
		__u64 pid_tgid = bpf_get_current_pid_tgid();

		hit.thread = pid_tgid;
		hit.process = pid_tgid >> 32;
		hit.cookie = bpf_get_attach_cookie(ctx);
		if (of_session)
			hit.is_return = bpf_session_is_return(ctx);
	}
	return hit;
}

/* Whether a call that begins counts. `own` gets the flags of its function. */
static __always_inline int is_traced(const struct hit *hit, struct function_flags *flags, __u8 *own)
{
	if (flags->of[CLOSING])
		return 0;
	if (hit->cookie & COOKIE_LIBRARY_CALL && !called_by_program(hit->stack_pointer, hit->process))
		return 0;
	*own = flags->of[hit->cookie & COOKIE_FUNCTION & (FUNCTIONS_MAX - 1)];
	if (*own & FUNCTION_DROPPED)
		return 0;
	if (*own & (FUNCTION_STARTS | FUNCTION_STOPS))
		flags->of[PAUSED] = !(*own & FUNCTION_STARTS);
	return !flags->of[PAUSED];
}

/* A call that was drawn: it is recorded with all the calls that are made below it. */
struct drawn_call {
	__u64 stack;       /* where its return address is */
	__u64 end_is_seen; /* unless it is unwound */
};

static __always_inline struct drawn_call *drawn_call_of(__u32 thread)
{
	return config.sample_below ? bpf_map_lookup_elem(&drawn_calls, &thread) : 0;
}

/* The calls at this stack pointer and below are over. */
static __always_inline void leave_drawn(__u32 thread, __u64 stack)
{
	struct drawn_call *drawn = drawn_call_of(thread);

	if (drawn && drawn->stack <= stack)
		bpf_map_delete_elem(&drawn_calls, &thread);
}

/* Where the return address of a call is, at its entry or exit probe. */
static __always_inline __u64 return_address_slot(const struct hit *hit)
{
	return hit->stack_pointer + (hit->cookie >> COOKIE_DISPLACEMENT_SHIFT & COOKIE_DISPLACEMENT_MASK) * 8;
}

/*
 * Whether a call that begins is recorded: it is drawn, each with the same probability, or one that it lies within was.
 * Only those that were drawn count: what else is recorded shows what became of them.
 */
static __always_inline int is_in_sample(const struct hit *hit, __u8 own)
{
	__u64 stack = return_address_slot(hit);
	__u32 thread = hit->thread;
	struct drawn_call *outer = drawn_call_of(thread), drawn;

	if (outer && (outer->stack < stack || (outer->stack == stack && !outer->end_is_seen))) {
		emit(thread, RECORD_OVER, 0, outer->stack + 8);
		bpf_map_delete_elem(&drawn_calls, &thread);
		outer = 0;
	}
	if (bpf_get_prandom_u32() >= config.sample_below)
		return !!outer;
	emit(thread, RECORD_DRAWN, 0, 0);
	if (outer || own & FUNCTION_ENDS_AT_ENTRY)
		return 1;
	drawn.stack = stack;
	drawn.end_is_seen = !(hit->cookie & COOKIE_NO_HOOK) || own & FUNCTION_EXITS_PROBED;
	bpf_map_update_elem(&drawn_calls, &thread, &drawn, BPF_ANY);
	return 1;
}

static __always_inline int is_sampling(void)
{
	__u32 first = 0;
	struct function_flags *flags = config.sample_below ? bpf_map_lookup_elem(&functions, &first) : 0;

	return flags && flags->of[SAMPLING];
}

/* Whether the thread is within no call that is recorded. */
static __always_inline int is_outside_sample(__u32 thread)
{
	return is_sampling() && !drawn_call_of(thread);
}

/* What is known of an open call, where they are kept: bpf/duration.h, bpf/statistics.h. */
#define HOOKED 1          /* the kernel holds its return */
#define RETURN_EXPECTED 2 /* its own end will be seen, unless it is unwound */
#define NESTED 4          /* the same function is open further out */
#define IN_PLACE 8        /* in the place of a call whose return is expected there */

/* A call that is further below is on another stack: that of a signal handler, say. */
#define SAME_STACK (1ull << 20)

#include "hidden-costs.h"
#include "depth.h"
#include "duration.h"

/* The calls at this stack pointer and below are over: before the record that says so. */
static __always_inline void leave_calls(__u32 thread, struct open_calls *calls, __u64 stack)
{
	leave_drawn(thread, stack);
	if (!calls)
		return;
	tell_hidden(calls);
	drop_ended(calls, stack);
}

/* A call ends. */
static __always_inline void exit_hit(const struct hit *hit, __u32 kind, __u64 stack)
{
	struct open_calls *calls;

	if (is_outside_sample(hit->thread))
		return;
	calls = open_calls_at_exit();
	/* Only what was recorded is hooked. */
	if (calls && kind != RECORD_RETURN && is_below_limit(calls, stack)) {
		hide(calls, exit_cost(kind));
		return;
	}
	leave_calls(hit->thread, calls, stack);
	if (!ends_held_call(hit->task, kind, stack))
		emit_call(hit->thread, kind, hit->cookie & COOKIE_FUNCTION, stack);
}

static __always_inline int is_unwanted_thread(__u32 thread)
{
	return config.filters_threads && !bpf_map_lookup_elem(&wanted_threads, &thread);
}

/* An entry or an exit of a function. Returns 0 where the return of the call is to be hooked. */
static __always_inline int probe_hit(const struct hit *hit)
{
	__u32 condition = hit->cookie >> COOKIE_CONDITION_SHIFT & COOKIE_CONDITION_MASK, first = 0;
	struct function_flags *flags;
	enum begun_call begun;
	__u8 own;

	if (is_unwanted_thread(hit->thread))
		return 1;
	if (hit->cookie & COOKIE_EXIT) {
		if (!condition || is_taken(hit->processor_flags, condition - 1))
			exit_hit(hit, hit->cookie & COOKIE_JUMP ? RECORD_JUMP : RECORD_RET, return_address_slot(hit));
		return 1;
	}
	flags = bpf_map_lookup_elem(&functions, &first);
	if (!flags || !is_traced(hit, flags, &own))
		return 1;
	if (config.sample_below && flags->of[SAMPLING] && !is_in_sample(hit, own))
		return 1;
	if (enters_too_deep(hit, flags, own))
		return 1;
	begun = hold_call(hit, flags, own);
	if (begun == NO_CALL)
		return 1;
	if (begun != CALL_HELD)
		tell_held();
	if (begun == CALL_REPORTED)
		emit_of(hit->thread, RECORD_ENTRY, hit->cookie & COOKIE_FUNCTION, hit->stack_pointer);
	if (begun != CALL_HELD)
		wait_for_room();
	return hit->cookie & COOKIE_NO_HOOK || own & FUNCTION_LEAVES_RETURN_ALONE;
}

/* One program for entries, exits and returns; a non-zero result at the entry leaves the return alone. */
SEC("uprobe.session")
int probe_session(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 1);

	if (!hit.is_return)
		return probe_hit(&hit);
	exit_hit(&hit, RECORD_RETURN, hit.stack_pointer - 8);
	return 0;
}

/* The same in two, for kernels without sessions. */
SEC("uprobe.multi")
int probe_entry(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);

	probe_hit(&hit);
	return 0;
}

SEC("uprobe.multi")
int probe_return(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);

	if (!is_unwanted_thread(hit.thread))
		exit_hit(&hit, RECORD_RETURN, hit.stack_pointer - 8);
	return 0;
}

SEC("uprobe.multi")
int modules_changed(struct registers *ctx)
{
	stop_process(CONTROL_LOADED);
	return 0;
}

#include "wait.h"

/*
 * The returns of this thread that are hooked now, or those that were, until the true addresses were put back. The kernel's
 * own list (struct return_instance) may hold ones that are over: what stands on the stack decides.
 * `record`: where they go; 0: returns whether there is any.
 */
static __always_inline __u32 returns_above(__u64 stack, int are_hooked, struct stack_record *record)
{
	void *task = (void *)bpf_get_current_task();
	__u64 trampoline = trampoline_of(task);
	void *utask = (void *)read_u64(task, config.task_utask);
	void *instance = utask ? (void *)read_u64(utask, config.utask_return_instances) : 0;

	if (record) {
		record->trampoline = trampoline;
		record->count = 0;
	}
	if (trampoline) FOR_UP_TO (HOOKED_RETURNS_MAX) {
		__u64 slot, return_address, found = 0;

		if (!instance)
			break;
		slot = read_u64(instance, config.instance_stack);
		return_address = read_u64(instance, config.instance_return);
		bpf_probe_read_user(&found, sizeof(found), (void *)slot);
		if (slot >= stack && found == (are_hooked ? trampoline : return_address)) {
			struct hooked_return *listed;

			if (!record)
				return 1;
			listed = &record->returns[record->count++ & (HOOKED_RETURNS_MAX - 1)];
			listed->slot = slot;
			listed->return_address = return_address;
			listed->probe = read_u64(instance, config.instance_func);
		}
		instance = (void *)read_u64(instance, config.instance_next);
	}
	return 0;
}

/*
 * A report about the returns of this thread: 0 if there are none, or no room. Looked for before: what is discarded takes room as
 * well, until user space comes by.
 */
static __always_inline struct stack_record *report_returns(__u64 stack, int are_hooked)
{
	struct stack_record *record;

	if (!returns_above(stack, are_hooked, 0))
		return 0;
	record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);
	if (record)
		returns_above(stack, are_hooked, record);
	return record;
}

/* Threads whose returns were put right for an exception: where it is caught they are to be hooked again. */
MAP(unhooked, BPF_MAP_TYPE_HASH, 4, 4, 1 << 15, BPF_F_NO_PREALLOC);

/* Of functions by which unwinders start: its argument is an exception, which is caught by __cxa_begin_catch if it is C++'s. */
#define UNWINDER_THROWS 1

/* "GNUCC++" or "CLNGC++", and a byte (Itanium C++ ABI: exception handling, 2.2.1); the first member of struct _Unwind_Exception. */
static __always_inline int is_cxx_exception(__u64 exception)
{
	__u64 class = 0;

	bpf_probe_read_user(&class, sizeof(class), (void *)exception);
	class >>= 8;
	return class == 0x474e5543432b2b || class == 0x434c4e47432b2b;
}

/*
 * At the functions by which unwinders start. They read return addresses: if some are hooked the thread waits until user
 * space has written the true ones back. Returns what wait_for_change does; 0: it does not wait.
 */
static __always_inline __s64 put_returns_right(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);
	struct stack_record *record = report_returns(ctx->rsp, 1);
	__u32 one = 1;

	if (!record)
		return 0;
	/* Before the record of the wait. */
	tell_held();
	record->may_hook_again = hit.cookie & UNWINDER_THROWS && is_cxx_exception(ctx->rdi);
	if (record->may_hook_again)
		bpf_map_update_elem(&unhooked, &hit.thread, &one, BPF_ANY);
	return wait_for_change(record, CONTROL_UNWINDS);
}

SEC("uprobe.multi")
int unwinder_called(struct registers *ctx)
{
	__s64 waited_ns = put_returns_right(ctx);

	if (waited_ns > 0)
		emit_of(current_thread(), RECORD_WAITED, 1, waited_ns);
	return 0;
}

/* Where an exception is caught: what is left of the stack is hooked again. Returns the same. */
static __always_inline __s64 hook_returns_again(const struct hit *hit)
{
	__u32 thread = hit->thread;
	struct stack_record *record;

	if (!bpf_map_lookup_elem(&unhooked, &thread))
		return 0;
	bpf_map_delete_elem(&unhooked, &thread);
	record = is_closing() ? 0 : report_returns(hit->stack_pointer, 0);
	if (!record)
		return 0;
	record->may_hook_again = 0;
	return wait_for_change(record, CONTROL_CAUGHT);
}

/* What the iterator below writes for each hooked return of a task. */
struct listed_return {
	__u64 thread;
	__u64 slot;
	__u64 return_address;
};

/*
 * Lists the returns that the kernel has on its books for every thread of a process, which is not the current one: the
 * reader must check that the slots still hold the trampoline's address. ctx: struct bpf_iter__task.
 */
SEC("iter/task")
int list_returns(__u64 *ctx)
{
	void **meta = (void **)ctx[0], *task = (void *)ctx[1], *seq, *utask, *instance;
	struct listed_return listed;

	if (!task)
		return 0;
	seq = meta[0];
	listed.thread = read_u32(task, config.task_pid);
	utask = (void *)read_u64(task, config.task_utask);
	instance = utask ? (void *)read_u64(utask, config.utask_return_instances) : 0;
	FOR_UP_TO (HOOKED_RETURNS_MAX) {
		if (!instance)
			break;
		listed.slot = read_u64(instance, config.instance_stack);
		listed.return_address = read_u64(instance, config.instance_return);
		bpf_seq_write(seq, &listed, sizeof(listed));
		instance = (void *)read_u64(instance, config.instance_next);
	}
	return 0;
}

/* At __cxa_begin_catch: the handler runs, and the frames below it are gone. */
SEC("uprobe.multi")
int exception_caught(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);
	__s64 waited_ns;

	if (!is_outside_sample(hit.thread)) {
		leave_calls(hit.thread, open_calls_at_exit(), ctx->rsp);
		emit(hit.thread, RECORD_UNWOUND, hit.cookie, ctx->rsp);
	}
	waited_ns = hook_returns_again(&hit);
	if (waited_ns > 0)
		emit_of(hit.thread, RECORD_WAITED, 1, waited_ns);
	return 0;
}

/* struct task_struct of the parent of the task. */
static __always_inline void *parent_of(void *task)
{
	return (void *)read_u64(task, config.task_real_parent);
}

/*
 * sched_process_exec(task, old_pid, binprm): the new image is in place and none of its instructions has run.
 * `start` counts the images still to come up to the command itself (wrappers such as setpriv run before it).
 */
SEC("raw_tracepoint")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32, first = 0;
	__u32 *images_to_come = bpf_map_lookup_elem(&start, &first);
	struct process nothing_known = {0};
	struct open_calls *calls;

	if (bpf_map_lookup_elem(&processes, &pid)) {
		calls = open_calls_at_exit();
		leave_calls(current_thread(), calls, ~0ull);
		emit(current_thread(), RECORD_EXEC, 0, pid);
		forget_hidden(calls);
		forget_held();
		stop_process(CONTROL_EXEC);
		return 0;
	}
	if (!images_to_come || !*images_to_come)
		return 0;
	if (read_u32(parent_of((void *)ctx->args[0]), config.task_tgid) != config.tracer_pid)
		return 0;
	if (__sync_fetch_and_sub(images_to_come, 1) != 1)
		return 0;
	/* Known to be ours before it is stopped: should utrace die now, its guard finds it here and lets it go on. */
	bpf_map_update_elem(&processes, &pid, &nothing_known, BPF_ANY);
	stop_process(CONTROL_STARTED);
	return 0;
}

/* sched_process_exit(task): `live` has been counted down before. */
SEC("raw_tracepoint")
int thread_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 thread = current_thread(), pid = bpf_get_current_pid_tgid() >> 32;
	void *signal;
	int is_last;
	struct control_record *record;

	if (!bpf_map_lookup_elem(&processes, &pid))
		return 0;
	bpf_map_delete_elem(&unhooked, &thread);
	signal = (void *)read_u64((void *)ctx->args[0], config.task_signal);
	is_last = read_u32(signal, config.signal_live) == 0;
	leave_calls(current_thread(), open_calls_at_exit(), ~0ull);
	emit(current_thread(), RECORD_THREAD_EXIT, is_last, 0);
	if (!is_last)
		return 0;
	/* Its id may be used again from now on. */
	bpf_map_delete_elem(&processes, &pid);
	record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);
	if (record) {
		fill_control(record, CONTROL_ENDED);
		bpf_ringbuf_submit(record, 0);
	}
	return 0;
}

#define TASK_STOPPED 4 /* __TASK_STOPPED of the kernel */

/*
 * sched_switch(preempt, previous, next, state of the previous): how long threads are stopped for. It would count as time
 * of the calls that are open meanwhile.
 */
SEC("raw_tracepoint")
int task_switch(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), now, *since;
	__u32 pid = pid_tgid >> 32, thread = pid_tgid;

	if (ctx->args[3] & TASK_STOPPED && bpf_map_lookup_elem(&processes, &pid)) {
		tell_held();
		now = bpf_ktime_get_ns();
		bpf_map_update_elem(&stopped, &thread, &now, BPF_ANY);
	}
	thread = read_u32((void *)ctx->args[2], config.task_pid);
	since = bpf_map_lookup_elem(&stopped, &thread);
	if (!since)
		return 0;
	emit_of(thread, RECORD_WAITED, 0, bpf_ktime_get_ns() - *since);
	bpf_map_delete_elem(&stopped, &thread);
	return 0;
}

#define SIGBUS 7
#define SIGKILL 9
#define SIGSEGV 11
#define SIGINFO_CODE 8 /* offset of si_code in siginfo_t: above 0 if the kernel itself has sent the signal */

/* Whether a signal tells that the instruction at which the thread stands cannot be executed, or never will be. */
static __always_inline int is_fault(__u32 signal, void *info)
{
	if (signal == SIGKILL)
		return 1;
	return (signal == SIGSEGV || signal == SIGBUS) && (__s32)read_u32(info, SIGINFO_CODE) > 0;
}

/*
 * signal_deliver(signal, info, action): the action's first member is the handler; 0 and 1 are none.
 * An entry probe may sit behind instructions that access memory. A call that faults there has begun and does not come
 * to its probe: where it stands is reported here.
 */
SEC("raw_tracepoint")
int signal_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct registers registers;
	void *user;

	if (!bpf_map_lookup_elem(&processes, &pid))
		return 0;
	user = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (is_fault(ctx->args[0], (void *)ctx->args[1]) &&
	    !bpf_probe_read_kernel(&registers, sizeof(registers), user)) {
		emit(current_thread(), RECORD_FAULT_AT, pid, registers.rip);
		emit(current_thread(), RECORD_FAULT, called_by_program(registers.rsp, pid), registers.rsp);
		tell_up_to(registers.rsp);
	}
	if (read_u64((void *)ctx->args[2], 0) > 1) {
		emit(current_thread(), RECORD_SIGNAL, 0, 0);
		tell_next_entry();
	}
	return 0;
}

#define TASK_DEAD 0x80

/*
 * sched_switch(preempt, previous, next, state), of every thread of the machine: attached only where waiting is asked
 * for. Threads that are not traced cost a look-up each.
 */
SEC("raw_tracepoint")
int thread_switched(struct bpf_raw_tracepoint_args *ctx)
{
	void *next = (void *)ctx->args[2];
	__u32 previous_pid = bpf_get_current_pid_tgid() >> 32, next_pid = read_u32(next, config.task_tgid);

	if (!(ctx->args[3] & TASK_DEAD) && bpf_map_lookup_elem(&processes, &previous_pid))
		emit(current_thread(), RECORD_SWITCH, ctx->args[0] || !ctx->args[3] ? 2 : 1, 0);
	if (bpf_map_lookup_elem(&processes, &next_pid))
		emit_of(read_u32(next, config.task_pid), RECORD_SWITCH, 0, 0);
	return 0;
}

/* exceptions:page_fault_user(address, registers, error_code), only attached where time off CPU is asked for. */
SEC("raw_tracepoint")
int page_faulted(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&processes, &pid))
		emit(current_thread(), RECORD_PAGE_FAULT, 0, 0);
	return 0;
}

extern int bpf_send_signal_task(void *task, int signal, int type, __u64 value) __ksym;
#define PIDTYPE_TGID 1

/*
 * sched_process_fork(parent, child), in the parent; the child is complete and has not been woken up. A child process
 * that is followed is traced from here on. It finds a stop signal waiting when it first comes to user space, and so
 * does one that has to be cleaned of probes: it has its own copy of the code with them, unless it shares memory.
 */
SEC("tp_btf/sched_process_fork")
int task_fork(__u64 *ctx)
{
	void *child = (void *)ctx[1];
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 pid = pid_tgid >> 32, child_thread, child_pid;
	struct process *process = bpf_map_lookup_elem(&processes, &pid);
	struct control_record *record;
	struct drawn_call *drawn;
	int follows;

	if (!process)
		return 0;
	child_thread = read_u32(child, config.task_pid);
	child_pid = read_u32(child, config.task_tgid);
	if (child_pid == pid) {
		emit(current_thread(), RECORD_FORK, 1, child_thread);
		return 0;
	}
	follows = process->flags & PROCESS_FOLLOW_FORKS;
	if (!follows && (!(process->flags & PROCESS_CLEANS_CHILDREN) ||
			 read_u64(child, config.task_mm) == read_u64((void *)ctx[0], config.task_mm)))
		return 0;
	record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);
	if (!record)
		return 0;
	if (follows) {
		emit(current_thread(), RECORD_FORK, 0, child_thread);
		inherit_held(child, child_thread);
		drawn = drawn_call_of(pid_tgid);
		if (drawn)
			bpf_map_update_elem(&drawn_calls, &child_thread, drawn, BPF_ANY);
		bpf_map_update_elem(&processes, &child_pid, process, BPF_ANY);
	}
	record->kind = follows ? CONTROL_FORKED : CONTROL_LEFT;
	record->pid = child_pid;
	record->thread = child_thread;
	record->parent = pid;
	bpf_send_signal_task(child, SIGSTOP, PIDTYPE_TGID, 0);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

#include "statistics.h"

char license_name[] SEC("license") = "Dual BSD/GPL";
