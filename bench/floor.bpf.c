// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel's floor: utrace's BPF object with empty programs in the place of those that record calls. utrace itself
 * attaches them, so that the floor is measured at the same instructions and with the same kind of probe.
 */
#define probe_session recording_probe_session
#define probe_entry recording_probe_entry
#define probe_return recording_probe_return
#include "../bpf/utrace.bpf.c"
#undef probe_session
#undef probe_entry
#undef probe_return

#define EMPTY(section, name) SEC(section) int name(struct registers *ctx) { return 0; }

EMPTY("uprobe.session", probe_session)
EMPTY("uprobe.multi", probe_entry)
EMPTY("uprobe.multi", probe_return)
