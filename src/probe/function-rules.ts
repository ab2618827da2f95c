/** What may be done to a function whose name says that it is not an ordinary one. */
export interface FunctionRule {
  /**
   * `untraced`: no probe at all. `entry`: entries only, it does not return as others do.
   * `ret`: its return address must stay where it is, but its `ret` instructions can be probed.
   */
  readonly allows: 'untraced' | 'entry' | 'ret'
  readonly reason: string
}

const rules = new Map<string, FunctionRule>()

function add(allows: FunctionRule['allows'], reason: string, names: string): void {
  for (const name of names.split(/\s+/)) rules.set(name, { allows, reason })
}

add('untraced', 'start-up code, not entered by a call', '_start __start _start_c _dl_start_user _dl_start')
add(
  'untraced',
  'start-up and exit code that the compiler adds',
  '_init _fini .init_proc .term_proc deregister_tm_clones register_tm_clones __do_global_dtors_aux ' +
    '__do_global_ctors_aux frame_dummy __libc_csu_init __libc_csu_fini',
)
add('untraced', 'helper of the linker: runs before relocation', '_dl_relocate_static_pie')
add(
  'untraced',
  'resolves symbols behind the back of another call',
  '_dl_runtime_resolve _dl_runtime_resolve_fxsave _dl_runtime_resolve_xsave _dl_runtime_resolve_xsavec ' +
    '_dl_runtime_profile _dl_runtime_profile_sse _dl_runtime_profile_avx _dl_runtime_profile_avx512 ' +
    '_dl_tlsdesc_return _dl_tlsdesc_undefweak _dl_tlsdesc_dynamic _dl_tlsdesc_dynamic_xsavec',
)
add('untraced', 'returns from a signal handler', '__restore_rt __restore')
add('untraced', 'hook of another tracer', '__fentry__ mcount _mcount __mcount_internal')
add('untraced', 'switches the stack in mid-call (split stacks)', '__morestack __morestack_non_split')

const RETURNS_TWICE = 'saves its return address: a later jump comes back there'
add(
  'ret',
  RETURNS_TWICE,
  'setjmp _setjmp __setjmp sigsetjmp __sigsetjmp __sigjmp_save getcontext __getcontext',
)
add('ret', 'switches stacks', 'swapcontext __swapcontext setcontext __setcontext makecontext __makecontext')
add('ret', 'switches stacks', 'co_swap co_switch')
add('entry', 'switches stacks by a jump', 'jump_fcontext make_fcontext ontop_fcontext')
add('entry', 'returns in parent and child on one stack', 'vfork __vfork __libc_vfork')
add('ret', 'goes on in a thread with another stack', 'clone __clone clone3 __clone3')

add(
  'entry',
  'never returns: it jumps to a saved place',
  'longjmp _longjmp __longjmp siglongjmp __longjmp_chk ____longjmp_chk __libc_longjmp __libc_siglongjmp',
)
add(
  'entry',
  'never returns',
  'exit _exit _Exit __run_exit_handlers quick_exit abort __assert_fail __assert __assert_perror_fail ' +
    '__stack_chk_fail __chk_fail __fortify_fail __libc_fatal __libc_start_main __libc_start_call_main ' +
    '_ZSt9terminatev __cxa_pure_virtual __cxa_bad_cast __cxa_bad_typeid __cxa_call_unexpected ' +
    '__cxa_call_terminate __clang_call_terminate rust_panic rust_begin_unwind',
)
add(
  'entry',
  'never returns: it unwinds the stack from its own frame',
  '__cxa_throw __cxa_rethrow __cxa_throw_bad_array_new_length pthread_exit __pthread_exit __pthread_unwind ' +
    '__pthread_unwind_next __do_cancel thrd_exit',
)
add(
  'ret',
  'reads the return addresses on the stack, its own included',
  'backtrace __backtrace _Unwind_Backtrace _Unwind_RaiseException _Unwind_Resume _Unwind_Resume_or_Rethrow ' +
    '_Unwind_ForcedUnwind _Unwind_Find_FDE _Unwind_FindEnclosingFunction __libunwind_Registers_x86_64_jumpto ' +
    'unw_getcontext _Ux86_64_getcontext unw_backtrace',
)
add(
  'ret',
  'finds its caller by its return address',
  'dlopen dlmopen dlsym dlvsym __dlopen __dlsym __dlvsym __libc_dlopen_mode __libc_dlsym dl_iterate_phdr ' +
    '__dl_iterate_phdr _dl_open _dl_sym _dl_vsym __cyg_profile_func_enter __cyg_profile_func_exit',
)

const sanitizer = /^__(?:a|t|m|l|hwa)san_|^__ubsan_|^__interceptor_|^__sanitizer_/
const programCounterHelper =
  /^__x86\.get_pc_thunk\.|^__x86_(?:indirect|return)_thunk|^__llvm_(?:retpoline|lvi)_/
const stub = /\$plt(?:got)?$/
const unnamed = /\+0x[0-9a-f]+$/
const coldPart = /^(.+)\.cold(?:\.\d+)?$/

/** The rule for a linkage name, without its version; undefined for an ordinary function. */
export function functionRule(symbol: string): FunctionRule | undefined {
  const at = symbol.indexOf('@')
  // `@plt` as binutils name them, `$plt` and `$pltgot` as mold does in its symbol tables.
  if ((at > 0 && symbol.endsWith('@plt')) || stub.test(symbol))
    return { allows: 'untraced', reason: 'PLT stub: the library call is traced' }
  const name = at > 0 ? symbol.slice(0, at) : symbol
  const rule = rules.get(name)
  if (rule !== undefined) return rule
  if (name.startsWith('__')) {
    if (programCounterHelper.test(name)) return { allows: 'untraced', reason: 'helper of the compiler' }
    if (sanitizer.test(name)) return { allows: 'ret', reason: 'finds its caller by its return address' }
  }
  if (unnamed.test(name)) {
    return { allows: 'ret', reason: 'known by its address only: its return address may have to stay' }
  }
  const cold = name.includes('.cold') ? coldPart.exec(name) : null
  return cold === null ? undefined : { allows: 'untraced', reason: 'cold part of another function' }
}

/** Whether a name is that of a part of a function that the compiler moved out of the way. */
export const isColdPart = (symbol: string) => symbol.includes('.cold') && coldPart.test(symbol)
