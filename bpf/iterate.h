/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Loops of which the verifier looks at what is repeated once, and not at each turn. A part of bpf/utrace.bpf.c. */

/* An iterator over numbers (Linux 6.4). */
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *iterator, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *iterator) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *iterator) __ksym;
/* Repeats what follows so often, unless it breaks. */
#define FOR_UP_TO(times)                                                                                               \
	for (struct bpf_iter_num each __attribute__((cleanup(bpf_iter_num_destroy))),                                  \
	     *each_begun __attribute__((unused)) = (bpf_iter_num_new(&each, 0, times), &each);                         \
	     bpf_iter_num_next(&each);)
