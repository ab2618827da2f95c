/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * `utrace stat`: calls are matched with their ends, and summed up, right here. A part of bpf/utrace.bpf.c.
 * Each thread has a stack of its open calls; what ends a call is decided as in src/trace/reconstruct.ts.
 */
#define FRAMES_MAX 256
#define BUCKETS 64

struct frame {
	__u64 stack; /* where its return address is */
	__u64 begin_ns; /* on the clock of the thread, which stands still while that is held up */
	__u64 called_ns; /* spent in the calls that it made */
	__u32 function;
	__u32 flags;
};

struct thread_state {
	__u32 depth;
	__u32 hooked;
	__u64 held_up_ns;
	__u64 stopped_since_ns; /* 0: it has not been stopped since the last hit */
	__u32 open[256]; /* calls by the low bits of their function: where there are none, none is nested */
	struct frame frames[FRAMES_MAX];
};

/* The loader gives it a type, which maps of this kind must have. */
MAP(threads, BPF_MAP_TYPE_TASK_STORAGE, 4, sizeof(struct thread_state), 0, BPF_F_NO_PREALLOC);

/* Mirrored by src/bpf/statistics.ts. One for each CPU and function: nobody else's cache line is touched. */
struct function_statistics {
	__u64 begun;
	__u64 total_ns;  /* of calls that are not nested */
	__u64 nested_ns; /* of those that are */
	__u64 self_ns;
	__u64 max_ns;
	__u64 inverse_min_ns; /* ~minimum: 0 where there is none */
	__u64 unwound, inferred, cut;
	__u64 untimed; /* too deep, or no memory: counted as begun, and that is all */
	__u64 histogram[BUCKETS]; /* of the durations: from 2^n ns */
};

/* The loader sizes it when it knows the functions. */
MAP(statistics, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct function_statistics), 0, BPF_F_MMAPABLE);

enum call_end { END_RETURN, END_UNWOUND, END_INFERRED, END_CUT };

static __always_inline struct function_statistics *statistics_of(__u32 function)
{
	__u32 index = bpf_get_smp_processor_id() * config.statistics_functions + function;

	return function < config.statistics_functions ? bpf_map_lookup_elem(&statistics, &index) : 0;
}

static __always_inline void raise_to(__u64 *maximum, __u64 value)
{
	for (int i = 0; i < 2; i++) {
		__u64 before = *(volatile __u64 *)maximum;

		if (before >= value || __sync_val_compare_and_swap(maximum, before, value) == before)
			return;
	}
}

/*
 * floor(log2), and 0 of 0, of what is below 2^63. Without a branch: the verifier would follow each way through them.
 * The highest bit of a difference says whether it is negative.
 */
static __always_inline __u64 log2_of(__u64 value)
{
	__u64 result = 0, step;

	for (int bits = 32; bits; bits >>= 1) {
		step = (((1ull << bits) - 1 - value) >> 63) * bits;
		value >>= step;
		result += step;
	}
	return result;
}

static __always_inline struct frame *top_of(struct thread_state *thread)
{
	return thread->depth ? &thread->frames[(thread->depth - 1) & (FRAMES_MAX - 1)] : 0;
}

/* Ends the innermost call. */
static __always_inline void end_call(struct thread_state *thread, struct frame *top, __u64 now, enum call_end how)
{
	struct function_statistics *sums = statistics_of(top->function);
	__u64 duration = now - thread->held_up_ns - top->begin_ns, called = top->called_ns;
	struct frame *caller;

	thread->depth--;
	thread->open[top->function & 255]--;
	if (top->flags & HOOKED)
		thread->hooked--;
	caller = top_of(thread);
	if (caller)
		caller->called_ns += duration;
	if (!sums)
		return;
	__sync_fetch_and_add(top->flags & NESTED ? &sums->nested_ns : &sums->total_ns, duration);
	__sync_fetch_and_add(&sums->self_ns, duration - called);
	__sync_fetch_and_add(&sums->histogram[log2_of(duration) & (BUCKETS - 1)], 1);
	raise_to(&sums->max_ns, duration);
	raise_to(&sums->inverse_min_ns, ~duration);
	if (how == END_UNWOUND)
		__sync_fetch_and_add(&sums->unwound, 1);
	else if (how == END_INFERRED)
		__sync_fetch_and_add(&sums->inferred, 1);
	else if (how == END_CUT)
		__sync_fetch_and_add(&sums->cut, 1);
}

static __always_inline enum call_end how_missed(struct frame *frame)
{
	return frame->flags & RETURN_EXPECTED ? END_UNWOUND : END_INFERRED;
}

/* It may have handed its place on by a jump. */
static __always_inline int may_be_open(struct frame *frame, struct function_flags *flags)
{
	return frame->flags & (RETURN_EXPECTED | IN_PLACE) &&
	       flags->of[frame->function & (FUNCTIONS_MAX - 1)] & FUNCTION_TAIL_CALLS;
}

/* The time of an event; for tests, which compare with a trace, the event itself goes out too. */
static __always_inline __u64 event_time(__u32 thread, __u32 kind, __u32 function, __u64 stack)
{
	return config.statistics_trace ? emit_of(thread, kind, function, stack) : bpf_ktime_get_ns();
}

static __always_inline struct thread_state *state_of(struct task_struct *task, __u64 flags)
{
	return bpf_task_storage_get(&threads, task, 0, flags);
}

/* Threads that were stopped, and when user space has continued them. */
MAP(continued, BPF_MAP_TYPE_HASH, 4, 8, 1 << 15, BPF_F_NO_PREALLOC);

/* If the thread was stopped since its last hit, that was no time of the calls that are open. */
static __always_inline void take_stop_off(struct thread_state *thread, __u32 id)
{
	__u64 *continued_ns;

	if (!thread->stopped_since_ns)
		return;
	continued_ns = bpf_map_lookup_elem(&continued, &id);
	if (continued_ns && *continued_ns > thread->stopped_since_ns)
		thread->held_up_ns += *continued_ns - thread->stopped_since_ns;
	thread->stopped_since_ns = 0;
	bpf_map_delete_elem(&continued, &id);
}

static __always_inline int is_open(struct thread_state *thread, __u32 function)
{
	__u32 depth = thread->depth;
	int found = 0;

	if (!thread->open[function & 255])
		return 0;
	FOR_UP_TO (FRAMES_MAX) {
		if (found || !depth)
			break;
		depth--;
		found = thread->frames[depth & (FRAMES_MAX - 1)].function == function;
	}
	return found;
}

/* A function may hook no more returns: the process waits until the instructions by which it leaves are probed. */
static __always_inline void report_deep(__u32 function)
{
	struct control_record *record = bpf_ringbuf_reserve(&control, sizeof(*record), 0);
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = bpf_map_lookup_elem(&processes, &pid);

	if (!record)
		return;
	fill_control(record, CONTROL_DEEP);
	record->parent = function;
	if (process && !(process->flags & PROCESS_NEVER_STOPS))
		bpf_send_signal_thread(SIGSTOP);
	bpf_ringbuf_submit(record, 0);
}

/* Returns 0 where the return of the call is to be hooked. */
static __always_inline int begin_call(const struct hit *hit, struct function_flags *flags, __u8 own)
{
	__u32 function = hit->cookie & COOKIE_FUNCTION;
	__u64 stack = return_address_slot(hit), now = 0;
	struct thread_state *thread = state_of(hit->task, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct function_statistics *sums = statistics_of(function);
	struct frame *top, *frame;
	__u32 call_flags = 0;

	if (config.statistics_trace)
		now = event_time(hit->thread, RECORD_ENTRY, function, hit->stack_pointer);
	if (thread)
		take_stop_off(thread, hit->thread);
	top = thread ? top_of(thread) : 0;
	if (top && top->stack <= stack) FOR_UP_TO (FRAMES_MAX) {
		top = top_of(thread);
		if (!top || top->stack > stack)
			break;
		if (top->stack == stack && top->function == function && own & FUNCTION_LOOPS)
			return 1; /* the next turn of a loop */
		if (top->stack == stack && may_be_open(top, flags)) {
			call_flags = IN_PLACE;
			break;
		}
		if (!now)
			now = bpf_ktime_get_ns();
		end_call(thread, top, now, how_missed(top));
	}
	if (sums)
		__sync_fetch_and_add(&sums->begun, 1);
	if (!thread || thread->depth >= FRAMES_MAX) {
		if (sums)
			__sync_fetch_and_add(&sums->untimed, 1);
		return 1;
	}
	if (is_open(thread, function))
		call_flags |= NESTED;
	if (own & (FUNCTION_EXITS_PROBED | FUNCTION_LEAVES_RETURN_ALONE)) {
		call_flags |= RETURN_EXPECTED;
	} else if (!(hit->cookie & COOKIE_NO_HOOK)) {
		if (thread->hooked >= MANY_HOOKED_RETURNS && call_flags & NESTED) {
			report_deep(function);
			call_flags |= RETURN_EXPECTED;
		} else if (thread->hooked < HOOKED_RETURNS_MAX) {
			call_flags |= HOOKED | RETURN_EXPECTED;
			thread->hooked++;
		}
	}
	frame = &thread->frames[thread->depth & (FRAMES_MAX - 1)];
	frame->stack = stack;
	frame->called_ns = 0;
	frame->function = function;
	frame->flags = call_flags;
	thread->open[function & 255]++;
	thread->depth++;
	if (!config.statistics_trace)
		now = bpf_ktime_get_ns();
	frame->begin_ns = now - thread->held_up_ns;
	if (own & FUNCTION_ENDS_AT_ENTRY)
		end_call(thread, frame, now, END_RETURN);
	return !(call_flags & HOOKED);
}

/* Whatever is at or below this stack pointer is over. */
static __always_inline void end_calls(const struct hit *hit, __u32 kind, __u64 stack)
{
	__u64 now = event_time(hit->thread, kind, hit->cookie & COOKIE_FUNCTION, stack);
	struct thread_state *thread = state_of(hit->task, 0);
	struct frame *top = thread ? top_of(thread) : 0;

	if (!top || top->stack > stack)
		return;
	take_stop_off(thread, hit->thread);
	end_call(thread, top, now, top->stack < stack ? how_missed(top) : END_RETURN);
	top = top_of(thread);
	/* Nearly always that was all: a loop takes three calls of the kernel. */
	if (top && top->stack <= stack) FOR_UP_TO (FRAMES_MAX) {
		top = top_of(thread);
		if (!top || top->stack > stack)
			break;
		end_call(thread, top, now, top->stack < stack ? how_missed(top) : END_RETURN);
	}
}

/* As probe_hit. */
static __always_inline int count_hit(const struct hit *hit)
{
	__u32 first = 0, condition = hit->cookie >> COOKIE_CONDITION_SHIFT & COOKIE_CONDITION_MASK;
	struct function_flags *flags;
	__u8 own;

	if (hit->cookie & COOKIE_EXIT) {
		if (!condition || is_taken(hit->processor_flags, condition - 1))
			end_calls(hit, RECORD_RET, return_address_slot(hit));
		return 1;
	}
	flags = bpf_map_lookup_elem(&functions, &first);
	if (!flags || !is_traced(hit, flags, &own))
		return 1;
	return begin_call(hit, flags, own);
}

SEC("uprobe.session")
int stat_session(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 1);

	if (!hit.is_return)
		return count_hit(&hit);
	end_calls(&hit, RECORD_RETURN, hit.stack_pointer - 8);
	return 0;
}

SEC("uprobe.multi")
int stat_entry(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);

	count_hit(&hit);
	return 0;
}

SEC("uprobe.multi")
int stat_return(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);

	end_calls(&hit, RECORD_RETURN, hit.stack_pointer - 8);
	return 0;
}

/* It was no time of the calls that are open. `waited_ns`: as wait_for_change returns it. */
static __always_inline void take_off(const struct hit *hit, __s64 waited_ns)
{
	struct thread_state *thread = waited_ns ? state_of(hit->task, 0) : 0;

	if (config.statistics_trace && waited_ns > 0)
		emit_of(hit->thread, RECORD_WAITED, 1, waited_ns);
	if (thread)
		take_stop_off(thread, hit->thread);
	if (thread && waited_ns > 0)
		thread->held_up_ns += waited_ns;
	else if (thread)
		thread->stopped_since_ns = -waited_ns;
}

/* As unwinder_called. */
SEC("uprobe.multi")
int stat_unwinder_called(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);

	take_off(&hit, put_returns_right(ctx));
	return 0;
}

/* As exception_caught. */
SEC("uprobe.multi")
int stat_caught(struct registers *ctx)
{
	struct hit hit = hit_of(ctx, 0);
	__u32 own = hit.cookie, first = 0;
	__u64 now = event_time(hit.thread, RECORD_UNWOUND, own, ctx->rsp);
	struct function_flags *flags = bpf_map_lookup_elem(&functions, &first);
	struct thread_state *thread = state_of(hit.task, 0);
	struct frame *top;

	if (thread)
		take_stop_off(thread, hit.thread);
	if (thread && flags) FOR_UP_TO (FRAMES_MAX) {
		top = top_of(thread);
		if (!top || top->stack > ctx->rsp || top->function == own)
			break;
		if (top->stack == ctx->rsp && may_be_open(top, flags))
			break;
		end_call(thread, top, now, END_UNWOUND);
	}
	take_off(&hit, hook_returns_again(&hit));
	return 0;
}

static __always_inline void cut_calls(void)
{
	struct thread_state *thread = state_of(bpf_get_current_task_btf(), 0);
	__u64 now = bpf_ktime_get_ns();
	struct frame *top;

	if (thread) FOR_UP_TO (FRAMES_MAX) {
		top = top_of(thread);
		if (!top)
			break;
		end_call(thread, top, now, END_CUT);
	}
}

/* sched_process_exit and sched_process_exec: the calls of a thread that ends, or gets a new image, are cut. */
SEC("raw_tracepoint")
int stat_thread_ends(struct bpf_raw_tracepoint_args *ctx)
{
	cut_calls();
	return 0;
}
