// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel's floor: utrace's BPF object with empty programs in the place of those that record calls. utrace itself
 * attaches them, so that the floor is measured at the same instructions and with the same kind of probe.
 */
#define call_session recording_call_session
#define call_entry recording_call_entry
#define call_return recording_call_return
#define call_ret recording_call_ret
#define library_call_session recording_library_call_session
#define library_call_entry recording_library_call_entry
#include "../bpf/utrace.bpf.c"
#undef call_session
#undef call_entry
#undef call_return
#undef call_ret
#undef library_call_session
#undef library_call_entry

#define EMPTY(section, name) SEC(section) int name(struct registers *ctx) { return 0; }

EMPTY("uprobe.session", call_session)
EMPTY("uprobe.multi", call_entry)
EMPTY("uprobe.multi", call_return)
EMPTY("uprobe.multi", call_ret)
EMPTY("uprobe.session", library_call_session)
EMPTY("uprobe.multi", library_call_entry)
