/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * `--time-filter`: calls that take less are not recorded. A part of bpf/utrace.bpf.c.
 * An entry is held back until its call is long enough: until it ends, or something else is recorded that happens within it.
 * All that src/trace/reconstruct.ts rests on is still told: what is left out is both ends of calls that are over by its own
 * rules. Where these cannot be followed here (other stacks, handlers of signals, many calls within each other) everything
 * is told. Who shows the trace leaves out what is recorded besides.
 */
#define HELD_MAX 256

struct held_call {
	__u64 stack;     /* where its return address is */
	__u64 pointer;   /* stack pointer at its probe */
	__u64 begin_ns;
	__u64 since_ns;  /* when the outermost of those began that have handed their place on to it */
	__u64 hidden_ns; /* what hits without a record had cost the thread before */
	__u32 function;
	__u32 cost_ns;   /* of its entry */
	__u32 flags;     /* HOOKED and the like */
	__u32 cpu;
};

/*
 * The event at hand, and what is found out of it. It lies in the map, because the verifier takes that for unknown: of variables
 * it would follow each combination through all that comes after, for seconds.
 */
struct held_event {
	__u64 stack, now_ns;
	__u64 cookie, pointer; /* of an entry: 0 of an exit */
	__u32 kind, function;
	__u32 own;        /* the flags of the function */
	__u32 tells;      /* user space must see it */
	__u32 is_telling; /* all that is held is told before anything else */
	__u32 in_place;   /* a call that ended was at the stack pointer */
};

/* The calls of a thread that are open. Those from `first` on are kept, those from `told` on have not been recorded. */
struct held_calls {
	__u32 version; /* odd while it is changed */
	__u32 thread;
	__u32 first, told, end; /* the call with number n is in calls[n % HELD_MAX] */
	__u32 hooked;           /* so many returns are in the kernel's hands */
	__u32 forgotten;        /* open calls further out that are not kept any more: all were told */
	__u32 tells_next, tells_next_entry;
	__u32 is_known;   /* a call of the thread was recorded */
	__u64 tells_below; /* what happens below this stack pointer is told; 0: nothing need be */
	__u64 hidden_ns;   /* what hits without a record have cost the thread */
	__u64 told_hidden_ns;
	struct held_event now;
	struct held_call calls[HELD_MAX];
};

/* The loader gives it a type, which maps of this kind must have. */
MAP(held_calls, BPF_MAP_TYPE_TASK_STORAGE, 4, sizeof(struct held_calls), 0, BPF_F_NO_PREALLOC);

/* A call that is further above the outermost one is on another stack too. */
#define SAME_STACK_ABOVE (64ull << 10)

enum begun_call {
	CALL_REPORTED, /* its entry is to be recorded */
	CALL_HELD,     /* or will be, if need be */
	CALL_TOLD,     /* or is, with all that is held back */
	NO_CALL,       /* it is none */
};

static __always_inline struct held_calls *held_calls_of(struct task_struct *task, __u64 create)
{
	return config.duration_min_ns ? bpf_task_storage_get(&held_calls, task, 0, create) : 0;
}

static __always_inline struct held_calls *held_calls_of_thread(void)
{
	return config.duration_min_ns ? held_calls_of(bpf_get_current_task_btf(), 0) : 0;
}

static __always_inline struct held_call *held_call(struct held_calls *held, __u32 number)
{
	return &held->calls[number & (HELD_MAX - 1)];
}

/* Others read it meanwhile: see list_held. */
static __always_inline void change_held(struct held_calls *held)
{
	__sync_fetch_and_add(&held->version, 1);
}

/*
 * Records the next of what was held back: a call, and before it what hits without a record had cost; then what they have cost
 * since. Returns 0 where nothing is left.
 */
static __always_inline int tell_next(struct held_calls *held)
{
	struct held_call *call = held_call(held, held->told);
	int is_call = held->told != held->end;
	__u64 hidden_ns = is_call ? call->hidden_ns : held->hidden_ns, stack = hidden_ns;
	__u32 kind = RECORD_HIDDEN, function = 0;

	if (hidden_ns != held->told_hidden_ns) {
		held->told_hidden_ns = hidden_ns;
	} else if (is_call) {
		held->told++;
		kind = RECORD_ENTRY;
		function = call->function;
		stack = call->pointer;
	} else {
		return 0;
	}
	emit_at(is_call ? call->begin_ns : 0, is_call ? call->cpu : bpf_get_smp_processor_id(), held->thread, kind, function,
		stack);
	return 1;
}

/* Before a record of the thread: everything that happened before. */
static __always_inline void tell_held(void)
{
	struct held_calls *held = held_calls_of_thread();

	/* Interrupted while it is changed, by a switch of threads: it goes on in a moment. */
	if (held && !(held->version & 1)) FOR_UP_TO (2 * HELD_MAX + 1) {
		if (!tell_next(held))
			break;
	}
}

static __always_inline int is_on_other_stack(struct held_calls *held, __u64 stack)
{
	__u64 innermost, outermost;

	if (held->first == held->end)
		return 0;
	innermost = held_call(held, held->end - 1)->stack;
	outermost = held_call(held, held->first)->stack;
	return stack > outermost ? stack - outermost > SAME_STACK_ABOVE
				 : stack < innermost && innermost - stack > SAME_STACK;
}

/* Begins with an event at this stack pointer: whether user space must see it whatever it is. */
static __always_inline void look_at_event(struct held_calls *held, __u64 stack)
{
	held->now.stack = stack;
	held->now.now_ns = bpf_ktime_get_ns();
	held->now.tells = held->tells_next || held->tells_below;
	held->now.in_place = 0;
	held->tells_next = 0;
	/* Far above is another stack. */
	if (stack >= held->tells_below && stack - held->tells_below < SAME_STACK)
		held->tells_below = 0;
}

static __always_inline void count_left_out(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *here = bpf_map_lookup_elem(&cpus, &cpu);

	if (here)
		__sync_fetch_and_add(&here->left_out, 1);
}

static __always_inline int is_long(struct held_call *call, __u64 now_ns)
{
	return now_ns - call->since_ns >= config.duration_min_ns;
}

/* Whether calls are open at this stack pointer or below. */
static __always_inline int any_at_or_below(struct held_calls *held, __u64 stack)
{
	return held->end != held->first && held_call(held, held->end - 1)->stack <= stack;
}

/* Whether an entry is the next turn of a loop in this call. */
static __always_inline int is_turn_of(struct held_call *call, struct held_event *entry)
{
	return call->stack == entry->stack && call->function == entry->function && entry->own & FUNCTION_LOOPS &&
	       call->flags & (RETURN_EXPECTED | IN_PLACE);
}

/* Whether it may have handed its place on by a jump to what is entered. */
static __always_inline int may_have_jumped_to(struct held_call *call, struct held_event *entry)
{
	__u32 first = 0;
	struct function_flags *flags = bpf_map_lookup_elem(&functions, &first);

	return call->stack == entry->stack && call->flags & (RETURN_EXPECTED | IN_PLACE) && flags &&
	       flags->of[call->function & (FUNCTIONS_MAX - 1)] & FUNCTION_TAIL_CALLS;
}

/*
 * Removes the innermost call if the event shows that it is over: it is below the stack pointer, or at it if that is an exit, or
 * unless it may have handed its place on by a jump. If it has to be told before, it is told first. Returns 0 where no more are over.
 */
static __always_inline int remove_next(struct held_calls *held)
{
	struct held_event *now = &held->now;
	struct held_call *call = held_call(held, held->end - 1);
	int is_told = held->told == held->end;

	if (!any_at_or_below(held, now->stack))
		return 0;
	if (now->kind == RECORD_ENTRY && is_turn_of(call, now))
		return 0;
	if (now->kind == RECORD_ENTRY && may_have_jumped_to(call, now)) {
		/* Whether it is still open user space has to find out, if it knows of it or must. */
		now->tells |= now->in_place | is_told | is_long(call, now->now_ns);
		return 0;
	}
	if (!is_told && is_long(call, now->now_ns)) {
		now->is_telling = 1;
		return 1;
	}
	now->in_place |= call->stack == now->stack;
	held->hooked -= call->flags & HOOKED;
	held->end--;
	if (is_told) {
		held->told--;
		now->tells = 1;
		return 1;
	}
	held->hidden_ns += call->cost_ns;
	count_left_out();
	return 1;
}

/* Removes all calls that are over. */
static __always_inline void remove_ended(struct held_calls *held)
{
	/* Without room for one more, the outermost one must be told too. */
	held->now.is_telling = held->end - held->first == HELD_MAX && held->told == held->first;
	/* Often there is none: a loop takes three calls of the kernel. */
	if (!held->now.is_telling && !any_at_or_below(held, held->now.stack))
		return;
	FOR_UP_TO (3 * HELD_MAX) {
		if (held->now.is_telling)
			held->now.is_telling = tell_next(held);
		else if (!remove_next(held))
			break;
	}
}

/* Adds the call that begins. */
static __always_inline void push_held(struct held_calls *held)
{
	struct held_event *now = &held->now;
	struct held_call *call = held_call(held, held->end), *below = held_call(held, held->end - 1);
	__u32 flags = 0;

	call->since_ns = now->now_ns;
	if (held->end != held->first && below->stack == now->stack &&
	    below->flags & (RETURN_EXPECTED | IN_PLACE)) {
		flags = IN_PLACE;
		call->since_ns = below->since_ns;
	}
	if (now->own & (FUNCTION_EXITS_PROBED | FUNCTION_LEAVES_RETURN_ALONE))
		flags |= RETURN_EXPECTED;
	else if (!(now->cookie & COOKIE_NO_HOOK) && held->hooked < HOOKED_RETURNS_MAX)
		flags |= RETURN_EXPECTED | HOOKED;
	held->hooked += flags & HOOKED;
	call->stack = now->stack;
	call->pointer = now->pointer;
	call->begin_ns = now->now_ns;
	call->hidden_ns = held->hidden_ns;
	call->function = now->function;
	call->cost_ns = entry_cost(now->cookie);
	call->flags = flags;
	call->cpu = bpf_get_smp_processor_id();
	if (held->end - held->first == HELD_MAX) {
		held->first++;
		held->forgotten++;
	}
	held->end++;
}

/* Changes what is held by an entry, and returns what becomes of it. */
static __always_inline enum begun_call enter_held(struct held_calls *held)
{
	struct held_event *now = &held->now;

	remove_ended(held);
	if (held->forgotten && held->first == held->end)
		now->tells = 1;
	if (held->end != held->first && is_turn_of(held_call(held, held->end - 1), now)) {
		if (now->tells)
			return CALL_REPORTED;
		held->hidden_ns += entry_cost(now->cookie);
		return NO_CALL;
	}
	if (now->own & FUNCTION_ENDS_AT_ENTRY) {
		if (now->tells)
			return CALL_REPORTED;
		held->hidden_ns += entry_cost(now->cookie);
		count_left_out();
		return CALL_HELD;
	}
	push_held(held);
	return now->tells || held->hooked >= MANY_HOOKED_RETURNS ? CALL_TOLD : CALL_HELD;
}

/* An entry. `own`: the flags of its function. */
static __always_inline enum begun_call hold_call(const struct hit *hit, struct function_flags *flags, __u8 own)
{
	__u64 create = flags->of[LIMITING] ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0, stack = return_address_slot(hit);
	struct held_calls *held = held_calls_of(hit->task, create);
	enum begun_call begun;

	if (!held)
		return CALL_REPORTED;
	if (is_on_other_stack(held, stack)) {
		held->tells_next = 1;
		held->tells_next_entry = 0;
		return CALL_REPORTED;
	}
	look_at_event(held, stack);
	held->now.kind = RECORD_ENTRY;
	held->now.cookie = hit->cookie;
	held->now.pointer = hit->stack_pointer;
	held->now.function = hit->cookie & COOKIE_FUNCTION;
	held->now.own = own;
	held->now.tells |= held->tells_next_entry | !held->is_known | !create;
	held->tells_next_entry = 0;
	held->is_known = 1;
	held->thread = hit->thread;
	change_held(held);
	begun = enter_held(held);
	change_held(held);
	return begun;
}

/* Whether an exit is left out with its call. */
static __always_inline int ends_held_call(struct task_struct *task, __u32 kind, __u64 stack)
{
	struct held_calls *held = held_calls_of(task, 0);

	if (!held)
		return 0;
	if (is_on_other_stack(held, stack)) {
		held->tells_next = 1;
		return 0;
	}
	look_at_event(held, stack);
	held->now.kind = kind;
	change_held(held);
	remove_ended(held);
	if (held->forgotten && held->first == held->end && !held->now.in_place) {
		held->forgotten--;
		held->now.tells = 1;
	}
	change_held(held);
	if (held->now.tells)
		return 0;
	held->hidden_ns += exit_cost(held->now.kind);
	return 1;
}

/* Costs of calls that are too deep are told with those of calls that are too short. Returns 0 where these are not left out. */
static __always_inline int hide_with_held(__u32 cost_ns)
{
	struct held_calls *held = held_calls_of_thread();

	if (held)
		held->hidden_ns += cost_ns;
	return !!held;
}

/* A handler of a signal is about to be called. */
static __always_inline void tell_next_entry(void)
{
	struct held_calls *held = held_calls_of_thread();

	if (held)
		held->tells_next_entry = 1;
}

/* A call at or above this stack pointer may have begun without an entry. */
static __always_inline void tell_up_to(__u64 stack)
{
	struct held_calls *held = held_calls_of_thread();

	if (held && held->tells_below < stack)
		held->tells_below = stack;
}

/* A new image begins with none. */
static __always_inline void forget_held(void)
{
	struct held_calls *held = held_calls_of_thread();

	if (!held)
		return;
	change_held(held);
	held->first = held->told = held->end = 0;
	held->hooked = held->forgotten = 0;
	held->tells_next = held->tells_next_entry = held->tells_below = 0;
	held->hidden_ns = held->told_hidden_ns = 0;
	held->is_known = 0;
	change_held(held);
}

/* A child process begins with the open calls of the thread that made it: all have been told. */
static __always_inline void inherit_held(void *child, __u32 child_thread)
{
	struct held_calls *held = held_calls_of_thread(), *copy;
	__u32 number;

	if (!held || held->first == held->end)
		return;
	copy = bpf_task_storage_get(&held_calls, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy)
		return;
	copy->thread = child_thread;
	copy->forgotten = held->forgotten;
	number = copy->first = held->first;
	FOR_UP_TO (HELD_MAX) {
		if (number == held->end)
			break;
		*held_call(copy, number) = *held_call(held, number);
		/* Who sees a hooked return is who saw its entry: not the child. */
		if (held_call(copy, number)->flags & HOOKED)
			held_call(copy, number)->flags &= IN_PLACE;
		number++;
	}
	copy->told = copy->end = number;
}


/*
 * Lists what is held of every thread of a process that has something to tell, which runs on meanwhile: a version, its
 * held_calls, and the version after. Where these differ, or are odd, it was changed. ctx: struct bpf_iter__task.
 */
SEC("iter/task")
int list_held(__u64 *ctx)
{
	void **meta = (void **)ctx[0], *task = (void *)ctx[1];
	struct held_calls *held;
	__u64 version;

	if (!task || !config.duration_min_ns)
		return 0;
	held = bpf_task_storage_get(&held_calls, task, 0, 0);
	if (!held || (held->told == held->end && held->hidden_ns == held->told_hidden_ns))
		return 0;
	version = *(volatile __u32 *)&held->version;
	bpf_seq_write(meta[0], &version, sizeof(version));
	bpf_seq_write(meta[0], held, sizeof(*held));
	version = *(volatile __u32 *)&held->version;
	bpf_seq_write(meta[0], &version, sizeof(version));
	return 0;
}
