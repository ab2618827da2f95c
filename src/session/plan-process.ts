import type { FunctionNames } from '../base/glob.ts'
import { bareName } from '../elf/bare-name.ts'
import { demangle } from '../elf/demangle.ts'
import { planLibraryCalls, planModule } from '../probe/make-plan.ts'
import type { ModuleCode } from '../probe/module-code.ts'
import type { ModulePlan } from '../probe/plan.ts'
import { findLibraryCalls } from './library-calls.ts'
import { allCodeOf, codeOf, namedCodeOf } from './module-code.ts'
import type { Module, ProcessModules } from './modules.ts'
import type { ReturnHookEvidence } from './return-hooks.ts'
import type { Selection } from './selection.ts'

export interface PlanOptions {
  readonly exitProbe: 'auto' | 'return' | 'ret'
  readonly placement: 'auto' | 'entry'
}

/** What will be probed in one module of a process. */
export interface PlannedModule {
  readonly module: Module
  /** Its own functions, or those that the executable calls in it. */
  readonly part: 'functions' | 'library calls'
  readonly plan: ModulePlan
}

/**
 * Plans everything that the selection asks for in the modules that a process has now.
 * @param isKnown tells what has been planned before and is left out
 */
export function planProcess(
  modules: ProcessModules,
  selection: Selection,
  options: PlanOptions,
  evidence: ReturnHookEvidence,
  isKnown: (module: Module, part: PlannedModule['part']) => boolean,
): PlannedModule[] {
  const nested = new Set(modules.libraries.filter((library) => selection.wantsInsideOf(library)))
  const planned: PlannedModule[] = [modules.executable, ...nested]
    .filter((module) => !isKnown(module, 'functions'))
    .map((module) => ({
      module,
      part: 'functions',
      plan: planFunctions(module, selection, evidence, options),
    }))
  for (const { library, functions } of findLibraryCalls(modules)) {
    // Inside a nested library every call is traced, whoever makes it.
    if (nested.has(library) || !selection.wantsCallsInto(library) || isKnown(library, 'library calls'))
      continue
    const calls = functions.filter(({ symbol }) => selection.wantsFunction(namesOf(symbol)))
    const plan = planLibraryCalls({ ...codeOf(library.image), ...planningOptions(evidence, options), calls })
    planned.push({ module: library, part: 'library calls', plan })
  }
  return planned
}

function planFunctions(
  module: Module,
  selection: Selection,
  evidence: ReturnHookEvidence,
  options: PlanOptions,
): ModulePlan {
  const code = selection.anyUnnamed ? allCodeOf(module) : namedCodeOf(module)
  const unnamed = selection.anyUnnamed ? unnamedIn(code) : undefined
  return planModule({
    ...code,
    ...planningOptions(evidence, options),
    select: (symbol) =>
      unnamed?.has(symbol) ? selection.wantsUnnamed(symbol) : selection.wantsFunction(namesOf(symbol)),
  })
}

function unnamedIn({ functions }: ModuleCode): ReadonlySet<string> {
  return new Set(functions.filter(({ source }) => source === 'unwind').map(({ symbol }) => symbol))
}

/** Names are made only if a pattern asks for them: there may be a hundred thousand functions. */
export function namesOf(symbol: string, known?: string): FunctionNames {
  let name = known
  const names = {
    symbol,
    get name() {
      name ??= demangle(symbol)
      return name
    },
    get bareName() {
      return bareName(names.name)
    },
  }
  return names
}

function planningOptions({ harmless, reason, unwinders }: ReturnHookEvidence, options: PlanOptions) {
  return { ...options, returnHooks: { harmless, reason, mayBeLost: unwinders.length > 0 }, demangle }
}
