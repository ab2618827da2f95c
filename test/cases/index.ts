import { binaryCases } from './binaries.ts'
import { controlFlowCases } from './control-flow.ts'
import { languageCases } from './languages.ts'
import { linkingCases } from './linking.ts'
import { processCases } from './processes.ts'

/** The cases of all small programs, by what they are about. */
export const groups = {
  languages: languageCases,
  'control flow': controlFlowCases,
  processes: processCases,
  linking: linkingCases,
  binaries: binaryCases,
}
