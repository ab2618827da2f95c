/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the hits of probes cost that make no record, so that it can be taken off durations. A part of bpf/utrace.bpf.c. */

/* What the hit of a probe costs, in nanoseconds. */
struct hit_costs {
	__u32 entry[4]; /* by COOKIE_ENTRY */
	__u32 library_call, ret, jump, hooked_return;
};
MAP(hit_costs, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct hit_costs), 1, 0);

static __always_inline __u32 entry_cost(__u64 cookie)
{
	__u32 first = 0;
	struct hit_costs *costs = bpf_map_lookup_elem(&hit_costs, &first);

	if (!costs)
		return 0;
	return costs->entry[cookie >> COOKIE_ENTRY_SHIFT & 3] + (cookie & COOKIE_LIBRARY_CALL ? costs->library_call : 0);
}

static __always_inline __u32 exit_cost(__u32 kind)
{
	__u32 first = 0;
	struct hit_costs *costs = bpf_map_lookup_elem(&hit_costs, &first);

	if (!costs)
		return 0;
	if (kind == RECORD_RETURN)
		return costs->hooked_return;
	return kind == RECORD_JUMP ? costs->jump : costs->ret;
}
