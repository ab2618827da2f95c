/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * `--max-depth`: deeper calls are not recorded, and their returns not hooked. A part of bpf/utrace.bpf.c. A call is never
 * deeper here than src/trace/reconstruct.ts takes it for: whoever shows the trace leaves out what is recorded besides.
 */
#define DEPTH_MAX 32

/* The calls of a thread that are recorded and open. */
struct open_calls {
	__u32 count;
	__u32 untold_ns; /* of hidden_ns, what no record has told yet */
	__u64 hidden_ns; /* what hits have cost that made no record */
	__u64 stacks[DEPTH_MAX]; /* where their return addresses are: the outermost first */
};

/* The loader gives it a type, which maps of this kind must have. */
MAP(open_calls, BPF_MAP_TYPE_TASK_STORAGE, 4, sizeof(struct open_calls), 0, BPF_F_NO_PREALLOC);

/* So much may be missing in the durations of calls that are open, and make no record. */
#define HIDDEN_NS_MAX 1000000

static __always_inline struct open_calls *open_calls_of_thread(struct function_flags *flags, __u64 create)
{
	if (!config.depth_limit || !flags->of[LIMITING])
		return 0;
	return bpf_task_storage_get(&open_calls, bpf_get_current_task_btf(), 0, create);
}

static __always_inline int hide_with_held(__u32 cost_ns);

static __always_inline void tell_hidden(struct open_calls *calls)
{
	if (calls->untold_ns)
		emit(current_thread(), RECORD_HIDDEN, 0, calls->hidden_ns);
	calls->untold_ns = 0;
}

static __always_inline void hide(struct open_calls *calls, __u32 cost_ns)
{
	if (hide_with_held(cost_ns))
		return;
	calls->hidden_ns += cost_ns;
	calls->untold_ns += cost_ns;
	if (calls->untold_ns > HIDDEN_NS_MAX)
		tell_hidden(calls);
}

/* What is told of a new image begins anew. */
static __always_inline void forget_hidden(struct open_calls *calls)
{
	if (calls)
		calls->hidden_ns = calls->untold_ns = 0;
}

/* The calls at this stack pointer and below are over, or have given their place away. */
static __always_inline void drop_ended(struct open_calls *calls, __u64 stack)
{
	for (int i = 0; i < DEPTH_MAX; i++) {
		if (!calls->count || calls->stacks[(calls->count - 1) & (DEPTH_MAX - 1)] > stack)
			break;
		calls->count--;
	}
}

/* Whether what happens at this stack pointer is below as many calls as are to be recorded. */
static __always_inline int is_below_limit(struct open_calls *calls, __u64 stack)
{
	__u64 innermost;

	if (calls->count < config.depth_limit)
		return 0;
	innermost = calls->stacks[(calls->count - 1) & (DEPTH_MAX - 1)];
	return stack < innermost && innermost - stack < SAME_STACK;
}

/* Whether a call that begins is too deep to be recorded. `own`: the flags of its function. */
static __always_inline int enters_too_deep(const struct hit *hit, struct function_flags *flags, __u8 own)
{
	struct open_calls *calls = open_calls_of_thread(flags, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u64 stack = return_address_slot(hit);

	if (!calls)
		return 0;
	drop_ended(calls, stack);
	if (is_below_limit(calls, stack)) {
		hide(calls, entry_cost(hit->cookie));
		return 1;
	}
	tell_hidden(calls);
	if (calls->count < config.depth_limit && !(own & FUNCTION_ENDS_AT_ENTRY))
		calls->stacks[calls->count++ & (DEPTH_MAX - 1)] = stack;
	return 0;
}

/* The same where calls end. */
static __always_inline struct open_calls *open_calls_at_exit(void)
{
	__u32 first = 0;
	struct function_flags *flags = config.depth_limit ? bpf_map_lookup_elem(&functions, &first) : 0;

	return flags ? open_calls_of_thread(flags, 0) : 0;
}
