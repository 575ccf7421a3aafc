import { BlobwireError } from '../../src/core/error.ts'
import { seededRandom } from './random.ts'
import { checkRule, type Fault, type FaultRule, type FaultScript } from './rules.ts'
import { Wires } from './wires.ts'

/** A call or frame that is about to be carried out. */
export interface Work {
  readonly requestId: string
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal
}

interface RunningRule {
  readonly rule: FaultRule
  readonly names: ReadonlySet<string>
  /** Calls that it was asked about, and how often it struck. */
  seen: number
  struck: number
}

/** Faults that are decided when a stream arrives, before anything of it is read. */
const atArrival = new Set<Fault['kind']>(['refuse', 'http_status'])

/**
 * Faults on command, for a server in the same process (`startServer({ faults })`) or from a file (`--faults`). Rules are
 * asked in order, and the first that strikes counts. The same seed and the same calls give the same faults.
 *
 * @example
 * const faults = new Faults()
 * const server = await startServer({ faults })
 * faults.add({ rpc: 'StoreBlob', count: 1, fault: { kind: 'lost_answer' } })
 */
export class Faults {
  /** @internal Where streams are. */
  readonly wires: Wires
  readonly #random: () => number
  #rules: RunningRule[] = []
  readonly #fired = new Map<Fault['kind'], number>()
  readonly #carriedOut = new Map<string, number>()

  /** @throws FaultScriptError */
  constructor({ seed = 1, rules = [] }: Partial<FaultScript> = {}) {
    this.#random = seededRandom(seed)
    this.wires = new Wires(this.#random)
    for (const rule of rules) this.add(rule)
  }

  /** Adds a rule behind the others. @throws FaultScriptError naming the field and what is allowed */
  add(rule: FaultRule): void {
    checkRule(rule)
    const names = new Set(typeof rule.rpc === 'string' ? [rule.rpc] : rule.rpc)
    this.#rules.push({ rule, names, seen: 0, struck: 0 })
  }

  /** From now on all goes well. */
  clear(): void {
    this.#rules = []
  }

  /** How often a kind of fault has struck. */
  fired(kind: Fault['kind']): number {
    return this.#fired.get(kind) ?? 0
  }

  /** How often an RPC was really carried out, alone or as an operation of a batch or frame. */
  carriedOut(rpc: string): number {
    return this.#carriedOut.get(rpc) ?? 0
  }

  /** @internal What befalls a stream before anything of it is read. */
  atArrival(rpc: string): Fault | undefined {
    return this.#strike(rpc, true)
  }

  /**
   * @internal Carries out a call or frame whose operations have these names, with what goes wrong around it. `work` is
   * told which operations fail, by their place.
   */
  async around<Result>(
    names: readonly string[],
    work: (failing: ReadonlyMap<number, BlobwireError>) => Promise<Result>,
    { requestId, signal }: Work
  ): Promise<Result> {
    const failing = new Map<number, BlobwireError>()
    const faults: Fault[] = []
    names.forEach((name, place) => {
      const fault = this.#strike(name, false)
      if (fault?.kind === 'status') failing.set(place, statusError(fault))
      else if (fault !== undefined) faults.push(fault)
    })
    for (const fault of faults) await this.#before(fault, requestId, signal)
    const result = await work(failing)
    names.forEach((name, place) => {
      if (!failing.has(place)) this.#carriedOut.set(name, this.carriedOut(name) + 1)
    })
    for (const fault of faults) await this.#after(fault, requestId, signal)
    return result
  }

  #strike(name: string, arriving: boolean): Fault | undefined {
    let found: Fault | undefined
    for (const running of this.#rules) {
      const { rule, names } = running
      if (atArrival.has(rule.fault.kind) !== arriving || !(names.has('*') || names.has(name))) continue
      running.seen++
      const { probability = 1, after = 0, count = Number.POSITIVE_INFINITY } = rule
      if (running.seen <= after || running.struck >= count || found !== undefined) continue
      if (probability < 1 && this.#random() >= probability) continue
      running.struck++
      found = rule.fault
      this.#fired.set(found.kind, this.fired(found.kind) + 1)
    }
    return found
  }

  async #before(fault: Fault, requestId: string, signal: AbortSignal): Promise<void> {
    if (fault.kind === 'delay') {
      const { ms, jitterMs = 0 } = fault
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms + (this.#random() * 2 - 1) * jitterMs)))
    } else if (fault.kind === 'silence') {
      await this.#untilOver(requestId, signal)
    } else if (fault.kind === 'reset' && !fault.after) {
      this.wires.reset(requestId, fault.code)
      await this.#untilOver(requestId, signal)
    } else if (fault.kind === 'stream_limit') {
      this.wires.limitStreams(requestId, fault.streams)
    } else if (fault.kind === 'goaway') {
      const isCounted = this.wires.goaway(requestId, fault)
      if (!isCounted) await this.#untilOver(requestId, signal)
    }
  }

  async #after(fault: Fault, requestId: string, signal: AbortSignal): Promise<void> {
    const { kind } = fault
    if (kind === 'lost_answer' || (kind === 'reset' && fault.after)) {
      this.wires.reset(requestId, kind === 'reset' ? fault.code : undefined)
      await this.#untilOver(requestId, signal)
    } else if (kind === 'truncate' || kind === 'corrupt' || kind === 'bad_gzip' || kind === 'drip') {
      this.wires.spoil(requestId, fault)
    }
  }

  /** Until nobody waits any more; then it is over. */
  #untilOver(requestId: string, signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const end = () => reject(new BlobwireError({ code: 'cancelled', message: 'nobody waits any more' }))
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
      this.wires.whenClosed(requestId, end)
    })
  }
}

function statusError(fault: Extract<Fault, { kind: 'status' }>): BlobwireError {
  const { code, retryAfterMs, retryable } = fault
  const worth = retryable ?? (code === 'unavailable' || retryAfterMs !== undefined)
  const details = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new BlobwireError({ code, reason: 'fault', message: 'a fault on command', retryable: worth, details })
}
