// The truth about a target's calls: linked into its instrumented build (-finstrument-functions), logs every entry and
// exit. The log is a shared mapping of the file ORACLE_LOG, so that what was logged survives any end of the process.
//
// Layout (little-endian): `struct header`, then `struct record`s; test/oracle/log.ts reads it. Each instrumented module
// links its own hidden copy of this file, built with -DORACLE_MODULE="name", and registers where it was loaded.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUIET __attribute__((no_instrument_function))
#define HIDDEN __attribute__((visibility("hidden")))
enum { capacity = 400000, modules_capacity = 32 };

struct module {
  char name[56];
  uint64_t anchor;  // Run-time address of the module's `oracle_anchor`.
};
struct header {
  uint32_t modules_used, records_used;
  uint64_t reserved;
  struct module modules[modules_capacity];
};
struct record {
  uint32_t pid, tid;
  uint32_t kind;  // 1 entry, 2 exit.
  uint32_t module;
  uint64_t function;
  uint64_t call_site;
};

HIDDEN char oracle_anchor = 1;
static struct header *log_header;
static uint32_t module_index;

QUIET static void open_log(void) {
  const char *path = getenv("ORACLE_LOG");
  size_t size = sizeof(struct header) + (size_t)capacity * sizeof(struct record);
  int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
  if (fd < 0 || ftruncate(fd, (off_t)size) != 0) abort();
  struct header *header = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (header == MAP_FAILED) abort();
  module_index = __atomic_fetch_add(&header->modules_used, 1, __ATOMIC_RELAXED);
  if (module_index >= modules_capacity) abort();
  strncpy(header->modules[module_index].name, ORACLE_MODULE, sizeof header->modules[0].name - 1);
  header->modules[module_index].anchor = (uint64_t)&oracle_anchor;
  log_header = header;
}

// The first call of a module comes from its first constructor or from main: one thread.
QUIET static void append(uint32_t kind, void *function, void *call_site) {
  if (!log_header) open_log();
  uint32_t index = __atomic_fetch_add(&log_header->records_used, 1, __ATOMIC_RELAXED);
  if (index >= capacity) abort();
  struct record *record = (struct record *)(log_header + 1) + index;
  record->pid = (uint32_t)getpid();
  record->tid = (uint32_t)syscall(SYS_gettid);
  record->module = module_index;
  record->function = (uint64_t)function;
  record->call_site = (uint64_t)call_site;
  record->kind = kind;
}

QUIET HIDDEN void __cyg_profile_func_enter(void *function, void *call_site) { append(1, function, call_site); }
QUIET HIDDEN void __cyg_profile_func_exit(void *function, void *call_site) { append(2, function, call_site); }
