import { messageOf } from '../base/errors.ts'
import type { EventConsumer } from '../base/event.ts'
import type { HitCosts, Kernel } from '../bpf/kernel.ts'
import type { BpfLink } from '../bpf/link.ts'
import { Calibration } from '../calibration/calibration.ts'
import { freeProbe, type ProbeCost, type ProbeCosts, probeCostsText } from '../trace/probe-costs.ts'

/** Calibration makes some 4,000 events, 128 KB: they must not fill half a ring. */
const calibrationRoomBytes = 512 << 10

/** What probes cost, measured while the target is planned. Where that fails durations stay what was measured. */
export class CostMeasurement {
  readonly #log: (done: string) => void
  readonly #calibration: Calibration | undefined
  #costs: ProbeCosts | undefined
  /** Events of others from before tracing began. */
  readonly #early: Parameters<EventConsumer['event']>[] = []

  /** Starts it, if there is room for it. @param log told how far it is */
  constructor(kernel: Kernel, log: (done: string) => void) {
    this.#log = log
    // In smaller rings its own events would get lost, or it would have to wait.
    if (kernel.ringBytes < calibrationRoomBytes) return
    try {
      this.#calibration = new Calibration(kernel)
      log('calibration started')
    } catch (error) {
      // A machine on which no program of ours can run.
      log(`calibration failed: ${messageOf(error)}`)
    }
  }

  /** It runs by itself: whoever is busy from now on does not hold it up. */
  get begun(): Promise<void> | undefined {
    return this.#calibration?.begun
  }

  /** What probes cost; undefined where that was not measured, or is not finished. */
  get costs(): ProbeCosts | undefined {
    return this.#costs
  }

  /** Waits for the result. Its probes stay until `detach`: the program that could hit them has ended. */
  async finish(): Promise<void> {
    if (this.#calibration === undefined) return
    this.#costs = await this.#calibration.finish({ event: (...event) => this.#early.push(event) })
    this.#log(
      this.#costs === undefined
        ? 'calibration failed: too few events'
        : `calibrated: ${probeCostsText(this.#costs)}`,
    )
  }

  /** Passes the events of others on that came while this was measuring. */
  passOn(events: EventConsumer): void {
    for (const event of this.#early.splice(0)) events.event(...event)
  }

  /** Removes its probes. @param remove closes links */
  async detach(remove: (links: readonly BpfLink[]) => Promise<void>): Promise<void> {
    await this.#calibration?.detach(remove)
  }
}

const wholeNs = ({ beforeNs, afterNs }: ProbeCost = freeProbe) => beforeNs + afterNs

/** What a probed `ret` costs more than a hooked return; undefined where it was not measured. */
export function exitSurchargeNs(costs: ProbeCosts | undefined): number | undefined {
  const { ret, return: hooked } = costs ?? {}
  return ret && hooked && wholeNs(ret) - wholeNs(hooked)
}

/** What the kernel must know to tell the costs of hits that make no event. */
export function hitCosts(costs: ProbeCosts | undefined): HitCosts {
  const { entry, libraryCallNs = 0, ret, jump, return: hooked } = costs ?? {}
  return {
    entryNs: {
      emulated: wholeNs(entry?.emulated),
      stepped: wholeNs(entry?.stepped),
      nop: wholeNs(entry?.nop),
    },
    libraryCallNs,
    retNs: wholeNs(ret),
    jumpNs: wholeNs(jump),
    hookedReturnNs: wholeNs(hooked),
  }
}
