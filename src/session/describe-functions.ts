import type { Kernel } from '../bpf/kernel.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import type { FunctionIds } from './function-ids.ts'
import type { PlannedModule } from './plan-process.ts'

/** Tells the kernel what it must know of functions to sum up their calls, or to know which calls of a thread are open. */
export function describeFunctions(
  kernel: Pick<Kernel, 'describeFunction'>,
  { module, plan }: PlannedModule,
  ids: FunctionIds,
  purpose: 'sums' | 'ends',
): void {
  for (const function_ of plan.functions) {
    const traits =
      purpose === 'sums' ? [...exitTraits(function_), ...codeTraits(function_)] : exitTraits(function_)
    kernel.describeFunction(ids.idOf(module, function_), traits)
  }
}

/** Known by decoding the function. */
function codeTraits(plan: FunctionPlan) {
  return [
    ...(plan.mayTailCall ? (['tailCalls'] as const) : []),
    ...(plan.loopsToEntry ? (['loops'] as const) : []),
  ]
}

function exitTraits(plan: FunctionPlan) {
  return [
    ...(plan.exit.kind === 'ret' ? (['exitsProbed'] as const) : []),
    ...(plan.exit.kind === 'entry' ? (['endsAtEntry'] as const) : []),
  ]
}
