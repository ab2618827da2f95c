import type { Kernel } from '../bpf/kernel.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import type { FunctionIds } from './function-ids.ts'
import type { PlannedModule } from './plan-process.ts'

/** Tells the kernel what it must know of functions to sum up their calls. */
export function describeFunctions(
  kernel: Pick<Kernel, 'describeFunction'>,
  { module, plan }: PlannedModule,
  ids: FunctionIds,
): void {
  for (const function_ of plan.functions)
    kernel.describeFunction(ids.idOf(module, function_), traitsOf(function_))
}

function traitsOf(plan: FunctionPlan) {
  return [
    ...(plan.mayTailCall ? (['tailCalls'] as const) : []),
    ...(plan.loopsToEntry ? (['loops'] as const) : []),
    ...(plan.exit.kind === 'ret' ? (['exitsProbed'] as const) : []),
    ...(plan.exit.kind === 'entry' ? (['endsAtEntry'] as const) : []),
  ]
}
