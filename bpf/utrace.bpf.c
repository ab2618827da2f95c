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
MAP(rings, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 0, 0);
MAP(control, BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 16, 0);
MAP(lost, BPF_MAP_TYPE_ARRAY, 4, 8, 0, BPF_F_MMAPABLE);
MAP(processes, BPF_MAP_TYPE_HASH, 4, 24, 1 << 14, 0);
MAP(start, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);

/* Values that the loader knows before it loads; the verifier treats them as constants. */
const volatile struct {
	__u32 tracer_pid;
	__u32 task_pid, task_tgid, task_real_parent; /* offsets in struct task_struct */
} config SEC(".rodata") = {0};

enum record_kind {
	RECORD_ENTRY,       /* stack: stack pointer at the probe */
	RECORD_RETURN,      /* stack: where the return address was */
	RECORD_RET,         /* stack: stack pointer at the probe, a `ret` or what stands for one */
	RECORD_LOST,        /* stack: number of records that this CPU could not write since its last one */
	RECORD_THREAD_EXIT,
	RECORD_EXEC,        /* the thread is about to run a new image */
};

struct record {
	__u64 time_ns;
	__u64 stack;
	__u32 thread;
	__u32 kind_and_function; /* kind in the upper 4 bits */
};

enum control_kind {
	CONTROL_STARTED, /* the command that utrace started has been stopped before its first instruction */
	CONTROL_LOADED,  /* the dynamic linker has changed the list of modules; the process is stopped */
};

struct control_record {
	__u32 kind;
	__u32 pid;
	__u32 thread;
	__s32 signal_result; /* of stopping the process */
};

/* What is known of a traced process: calls into libraries count when they return into [caller_start, caller_end). */
struct process {
	__u64 caller_start, caller_end;
	__u64 flags;
};

#define KIND_SHIFT 28
#define SIGSTOP 19

static __always_inline void *this_ring(__u32 cpu)
{
	return bpf_map_lookup_elem(&rings, &cpu);
}

/* Says, before the first record after a gap, how many are missing: the loss stands at its place in the trace. */
static __always_inline void report_lost(void *ring, __u32 cpu, __u64 *lost_here)
{
	__u64 count = __sync_lock_test_and_set(lost_here, 0);
	struct record *record;

	if (!count)
		return;
	record = bpf_ringbuf_reserve(ring, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(lost_here, count);
		return;
	}
	record->time_ns = bpf_ktime_get_ns();
	record->stack = count;
	record->thread = cpu;
	record->kind_and_function = RECORD_LOST << KIND_SHIFT;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* The ring is reserved before the clock is read: whatever is older than a reading of the clock is already reserved. */
static __always_inline void emit(__u32 kind, __u32 function, __u64 stack)
{
	__u32 cpu = bpf_get_smp_processor_id();
	void *ring = this_ring(cpu);
	__u64 *lost_here = bpf_map_lookup_elem(&lost, &cpu);
	struct record *record;

	if (!lost_here)
		return;
	if (ring && *lost_here)
		report_lost(ring, cpu, lost_here);
	record = ring ? bpf_ringbuf_reserve(ring, sizeof(*record), 0) : 0;
	if (!record) {
		__sync_fetch_and_add(lost_here, 1);
		return;
	}
	record->stack = stack;
	record->thread = bpf_get_current_pid_tgid();
	record->kind_and_function = kind << KIND_SHIFT | function;
	record->time_ns = bpf_ktime_get_ns();
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline __u32 function_of(void *ctx)
{
	return bpf_get_attach_cookie(ctx);
}

/* A call into a library is the program's own if it returns into the program's own code. */
static __always_inline int called_by_program(struct registers *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = bpf_map_lookup_elem(&processes, &pid);
	__u64 return_address = 0;

	if (!process || bpf_probe_read_user(&return_address, sizeof(return_address), (void *)ctx->rsp))
		return 0;
	return return_address >= process->caller_start && return_address < process->caller_end;
}

extern int bpf_session_is_return(void *ctx) __ksym;

/* Entry and return of a function with one program; a non-zero result at the entry leaves the return alone. */
SEC("uprobe.session")
int call_session(struct registers *ctx)
{
	int is_return = bpf_session_is_return(ctx);

	emit(is_return ? RECORD_RETURN : RECORD_ENTRY, function_of(ctx), ctx->rsp - (is_return ? 8 : 0));
	return 0;
}

SEC("uprobe.session")
int library_call_session(struct registers *ctx)
{
	int is_return = bpf_session_is_return(ctx);

	if (!is_return && !called_by_program(ctx))
		return 1;
	emit(is_return ? RECORD_RETURN : RECORD_ENTRY, function_of(ctx), ctx->rsp - (is_return ? 8 : 0));
	return 0;
}

SEC("uprobe.multi")
int call_entry(struct registers *ctx)
{
	emit(RECORD_ENTRY, function_of(ctx), ctx->rsp);
	return 0;
}

SEC("uprobe.multi")
int call_return(struct registers *ctx)
{
	emit(RECORD_RETURN, function_of(ctx), ctx->rsp - 8);
	return 0;
}

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

/* An instruction by which a function leaves. A cookie with an upper half is that of a conditional jump, plus one. */
SEC("uprobe.multi")
int call_ret(struct registers *ctx)
{
	__u32 condition = bpf_get_attach_cookie(ctx) >> 32;

	if (!condition || is_taken(ctx->flags, condition - 1))
		emit(RECORD_RET, function_of(ctx), ctx->rsp);
	return 0;
}

SEC("uprobe.multi")
int library_call_entry(struct registers *ctx)
{
	if (called_by_program(ctx))
		emit(RECORD_ENTRY, function_of(ctx), ctx->rsp);
	return 0;
}

/*
 * Stops the process of this thread and says so to user space, which continues it. Without room to say so nothing is
 * stopped: a process must never wait for somebody who does not know.
 */
static __always_inline void stop_process(__u32 kind)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct control_record *record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);

	if (!record)
		return;
	record->kind = kind;
	record->pid = pid_tgid >> 32;
	record->thread = pid_tgid;
	record->signal_result = bpf_send_signal(SIGSTOP);
	bpf_ringbuf_submit(record, 0);
}

SEC("uprobe.multi")
int modules_changed(struct registers *ctx)
{
	stop_process(CONTROL_LOADED);
	return 0;
}

static __always_inline __u32 read_u32(void *base, __u32 offset)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), base + offset);
	return value;
}

/* struct task_struct of the parent of the task. */
static __always_inline void *parent_of(void *task)
{
	void *parent = 0;

	bpf_probe_read_kernel(&parent, sizeof(parent), task + config.task_real_parent);
	return parent;
}

/*
 * sched_process_exec(task, old_pid, binprm): the new image is in place and none of its instructions has run.
 * `start` counts the images still to come up to the command itself (wrappers such as setpriv run before it).
 */
SEC("raw_tracepoint")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 pid = pid_tgid >> 32, first = 0;
	__u32 *images_to_come = bpf_map_lookup_elem(&start, &first);

	if (bpf_map_lookup_elem(&processes, &pid)) {
		emit(RECORD_EXEC, 0, 0);
		return 0;
	}
	if (!images_to_come || !*images_to_come)
		return 0;
	if (read_u32(parent_of((void *)ctx->args[0]), config.task_tgid) != config.tracer_pid)
		return 0;
	if (__sync_fetch_and_sub(images_to_come, 1) == 1)
		stop_process(CONTROL_STARTED);
	return 0;
}

/* sched_process_exit(task) */
SEC("raw_tracepoint")
int thread_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&processes, &pid))
		emit(RECORD_THREAD_EXIT, 0, 0);
	return 0;
}

char license_name[] SEC("license") = "Dual BSD/GPL";
