/** Decides which calls and streams go wrong, and how. */
import type { Http2Server, IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import type { CallContext } from '../service/context.ts'
import type { TransferFault } from './faulty-transfers.ts'
import { seededRandom } from './random.ts'
import { checkRule, type Fault, type FaultRule, type FaultScript } from './rules.ts'
import { type LocalStream, StreamRegistry } from './stream-registry.ts'

type Work = Pick<CallContext, 'requestId' | 'signal'>

interface ActiveRule {
  readonly rule: FaultRule
  readonly names: ReadonlySet<string>
  /** Matching calls so far, and how often the rule has fired. */
  seen: number
  fired: number
}

/** Faults that fire when a stream arrives, before anything of it is read. */
const arrivalFaults = new Set<Fault['kind']>(['refuse', 'http_status'])

/** RPCs that `cut` happens to. */
const transfers: readonly string[] = [methods.uploadBlob.name, methods.downloadBlob.name]
/** Of a transfer without a fault: nothing comes of it. */
const noFault: Fault = { kind: 'delay', ms: 0 }

/**
 * Faults on command, for a server in the same process (`startServer({ faults })`) or from a file (`--faults`). Rules
 * are tried in order, and the first that fires counts. The same seed and the same calls give the same faults.
 *
 * @example
 * const faults = new Faults()
 * const server = await startServer({ faults })
 * faults.add({ rpc: 'StoreBlob', count: 1, fault: { kind: 'lost_answer' } })
 */
export class Faults {
  readonly #streams: StreamRegistry
  readonly #random: () => number
  #rules: ActiveRule[] = []
  readonly #fired = new Map<Fault['kind'], number>()
  readonly #carriedOut = new Map<string, number>()

  /** @throws FaultScriptError */
  constructor({ seed = 1, rules = [] }: Partial<FaultScript> = {}) {
    this.#random = seededRandom(seed)
    this.#streams = new StreamRegistry(this.#random)
    for (const rule of rules) this.add(rule)
  }

  /** Adds a rule behind the others. @throws FaultScriptError that names the field and the allowed values */
  add(rule: FaultRule): void {
    checkRule(rule)
    const names = new Set(typeof rule.rpc === 'string' ? [rule.rpc] : rule.rpc)
    this.#rules.push({ rule, names, seen: 0, fired: 0 })
  }

  /** Ends all rules. */
  clear(): void {
    this.#rules = []
  }

  /** How often a kind of fault has fired. */
  fired(kind: Fault['kind']): number {
    return this.#fired.get(kind) ?? 0
  }

  /** How often the service carried out an RPC, alone or as an operation of a batch or frame. */
  carriedOut(rpc: string): number {
    return this.#carriedOut.get(rpc) ?? 0
  }

  /** @internal Finds the streams of an HTTP/2 server, and fires faults as they arrive. */
  watch(server: Http2Server): void {
    this.#streams.watch(server, (rpc) => this.#fire(rpc, true))
  }

  /** @internal The same for a request of HTTP/1.1, where no fault fires at arrival. */
  watchHttp1(headers: IncomingHttpHeaders, socket: Socket): void {
    this.#streams.watchHttp1(headers, socket)
  }

  /** @internal The same for a call without a connection; returns the fault that fires as it arrives. */
  watchLocal(rpc: string, requestId: string, stream: LocalStream): Fault | undefined {
    this.#streams.watchLocal(requestId, stream)
    return this.#fire(rpc, true)
  }

  /**
   * @internal Carries out work with faults around it.
   *
   * @param names RPCs of the operations of a batch, and of the call itself
   * @param work receives the errors of failing names, by index
   */
  async around<Result>(
    names: readonly string[],
    { requestId, signal }: Work,
    work: (failing: ReadonlyMap<number, BlobwireError>) => Promise<Result>
  ): Promise<Result> {
    const failing = new Map<number, BlobwireError>()
    const faults: Fault[] = []
    names.forEach((name, index) => {
      const fault = this.#fire(name, false)
      if (fault?.kind === 'status') failing.set(index, statusError(fault))
      else if (fault !== undefined) faults.push(fault)
    })
    for (const fault of faults) await this.#before(fault, requestId, signal)
    const result = await work(failing)
    names.forEach((name, index) => {
      if (!failing.has(index)) this.#carriedOut.set(name, this.carriedOut(name) + 1)
    })
    for (const fault of faults) await this.#after(fault, requestId, signal)
    return result
  }

  /** @internal The error with which a watch is refused; undefined = it is not. */
  refusalOf(name: string): BlobwireError | undefined {
    const fault = this.#fire(name, false)
    return fault?.kind === 'status' ? statusError(fault) : undefined
  }

  /** @internal Opens an upload or download, with faults before it, and tells the fault that is to happen in it. */
  async aroundTransfer<Opened>(
    name: string,
    { requestId, signal }: Work,
    open: () => Promise<Opened>
  ): Promise<{ opened: Opened; active: TransferFault }> {
    const fault = this.#fire(name, false) ?? noFault
    if (fault.kind === 'status') throw statusError(fault)
    const { afterBytes, jitterBytes = 0 } = fault as { afterBytes?: number; jitterBytes?: number }
    if (afterBytes === undefined) await this.#before(fault, requestId, signal)
    const opened = await open()
    if (fault.kind === 'truncate' || fault.kind === 'bad_gzip' || fault.kind === 'drip') {
      this.#streams.corruptAnswer(requestId, fault)
    }
    const random = this.#random
    const active: TransferFault = {
      fault,
      random,
      afterBytes: jitterBytes === 0 ? (afterBytes ?? 0) : around(afterBytes ?? 0, jitterBytes, random),
      happen: () => {
        if (fault.kind === 'cut') this.#streams.received(requestId).then(() => this.#streams.reset(requestId))
        return this.#untilAbandoned(requestId, signal)
      },
      afterwards: async () => {
        this.#carriedOut.set(name, this.carriedOut(name) + 1)
        if (fault.kind !== 'corrupt') await this.#after(fault, requestId, signal)
      }
    }
    return { opened, active }
  }

  #fire(name: string, isArriving: boolean): Fault | undefined {
    let found: Fault | undefined
    for (const active of this.#rules) {
      const { rule, names } = active
      if (arrivalFaults.has(rule.fault.kind) !== isArriving || !(names.has('*') || names.has(name))) continue
      if (rule.fault.kind === 'cut' && !transfers.includes(name)) continue
      active.seen++
      const { probability = 1, after = 0, count = Number.POSITIVE_INFINITY } = rule
      if (active.seen <= after || active.fired >= count || found !== undefined) continue
      if (probability < 1 && this.#random() >= probability) continue
      active.fired++
      found = rule.fault
      this.#fired.set(found.kind, this.fired(found.kind) + 1)
    }
    return found
  }

  async #before(fault: Fault, requestId: string, signal: AbortSignal): Promise<void> {
    if (fault.kind === 'delay') {
      const { ms, jitterMs = 0 } = fault
      await new Promise((resolve) => setTimeout(resolve, around(ms, jitterMs, this.#random)))
    } else if (fault.kind === 'silence') {
      await this.#untilAbandoned(requestId, signal)
    } else if (fault.kind === 'reset' && !fault.after) {
      this.#streams.reset(requestId, fault.code)
      await this.#untilAbandoned(requestId, signal)
    } else if (fault.kind === 'stream_limit') {
      this.#streams.limitStreams(requestId, fault.streams)
    } else if (fault.kind === 'goaway') {
      const isCounted = this.#streams.goaway(requestId, fault)
      if (!isCounted) await this.#untilAbandoned(requestId, signal)
    }
  }

  async #after(fault: Fault, requestId: string, signal: AbortSignal): Promise<void> {
    const { kind } = fault
    if (kind === 'lost_answer' || (kind === 'reset' && fault.after)) {
      this.#streams.reset(requestId, kind === 'reset' ? fault.code : undefined)
      await this.#untilAbandoned(requestId, signal)
    } else if (kind === 'truncate' || kind === 'corrupt' || kind === 'bad_gzip' || kind === 'drip') {
      this.#streams.corruptAnswer(requestId, fault)
    }
  }

  /** Never resolves; rejects when nobody waits for the answer any more. */
  #untilAbandoned(requestId: string, signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const end = () =>
        reject(new BlobwireError({ code: 'cancelled', message: 'the client no longer waits for the answer' }))
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
      this.#streams.onClosed(requestId, end)
    })
  }
}

const around = (value: number, jitter: number, random: () => number): number =>
  Math.max(0, Math.round(value + (random() * 2 - 1) * jitter))

function statusError(fault: Extract<Fault, { kind: 'status' }>): BlobwireError {
  const { code, retryAfterMs, retryable } = fault
  const details = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new BlobwireError({
    code,
    reason: 'fault',
    message: 'a fault on command',
    retryable: retryable ?? (code === 'unavailable' || retryAfterMs !== undefined),
    details
  })
}
