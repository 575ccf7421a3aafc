import type { Clock } from '../core/clock.ts'
import type { BlobwireError, TransportName } from '../core/error.ts'
import { isRetryable } from '../retry/rules.ts'
import type { Call } from '../transport/transport.ts'
import type { Channel, Pick, Picker } from './picker.ts'

/** How long a transport that could not be had is left alone; doubled each time, up to the second. */
const firstProbeMs = 60_000
const lastProbeMs = 600_000

/** What routes are chosen from. */
export interface TransportSelectorContext {
  readonly clock: Clock
  /** In the order of preference; one = the application chose it. */
  readonly transports: readonly TransportName[]
  /** The lanes of a transport, made when they are first asked for. */
  readonly channels: (transport: TransportName) => Picker
}

/**
 * Which transport a call takes, and which endpoint. A transport that cannot be had (the server does not speak it, or
 * something on the way does not let it through) gives way to the next; that is remembered, and tried again after a while.
 */
export class TransportSelector {
  readonly #context: TransportSelectorContext
  /** Place of the transport in use. */
  #place = 0
  #reason = ''
  #probeAtMs = Number.POSITIVE_INFINITY
  #waitMs = firstProbeMs
  /** What the preferred transport was last left for, where that may pass. */
  #gaveWay: BlobwireError | undefined

  constructor(context: TransportSelectorContext) {
    this.#context = context
  }

  /** The transport that calls take which do not ask for one. */
  get transport(): TransportName {
    return this.#context.transports[this.#place] as TransportName
  }

  /** Why it is not the preferred one; empty where it is. */
  get reason(): string {
    return this.#reason
  }

  /** Where the next attempt of a call goes; `avoid` is where it has just failed. @throws BlobwireError `circuit_open` */
  pick(call: Call, avoid?: Channel): Pick {
    if (this.#place > 0) this.#probe()
    return this.#channels(call).pick(avoid)
  }

  /** Whether the call could go to another endpoint. */
  hasOther(call: Call, channel: Channel): boolean {
    return this.#channels(call).hasOther(channel)
  }

  /**
   * Whether the call, which failed there, is to be sent by another transport, at once. Only before a transport has proven
   * itself: what worked once and fails now is a failure like any other.
   */
  fallsBack(call: Call, channel: Channel, error: BlobwireError): boolean {
    const { transports, clock } = this.#context
    if (call.transport !== undefined || transports.length === 1 || channel.verified) return false
    const failed = transports.indexOf(channel.transport)
    // Another call has found out already.
    if (failed !== this.#place) return failed < this.#place
    const cannotBeHad = rulesOutTransport(channel.transport, error)
    if (!cannotBeHad && error.sent === 'processed') {
      // An answer, if not the wanted one.
      channel.verified = true
      return false
    }
    if (!cannotBeHad || failed === transports.length - 1) {
      // This one cannot be had either: it is the server that is not there.
      this.#prefer()
      return false
    }
    if (this.#place === 0) {
      this.#gaveWay = isRetryable(error) ? error : undefined
      this.#reason = error.reason || error.code
      this.#probeAtMs = clock.now() + this.#waitMs
      this.#waitMs = Math.min(this.#waitMs * 2, lastProbeMs)
    }
    this.#place++
    return true
  }

  /**
   * What a call failed with, when it has nowhere to fall back to. That the other transports are not spoken there says
   * nothing of why the preferred one could not be had: where that may pass, the call may be sent again.
   */
  failureOf(call: Call, channel: Channel, error: BlobwireError): BlobwireError {
    const { sent, attempts, requestId } = error
    const gaveWay =
      call.transport === undefined && channel.transport !== this.#context.transports[0] ? this.#gaveWay : undefined
    if (gaveWay === undefined || channel.verified || !rulesOutTransport(channel.transport, error)) return error
    return gaveWay.with({ sent, attempts, requestId })
  }

  /** What the server says it speaks: a transport that it does not name is not tried, if there is another. */
  offered(names: readonly string[]): void {
    const { transports } = this.#context
    const place = transports.findIndex((name) => names.includes(name))
    if (place <= this.#place || names.includes(this.transport)) return
    this.#place = place
    this.#reason = 'not_offered'
    this.#probeAtMs = this.#context.clock.now() + lastProbeMs
  }

  #channels(call: Call): Picker {
    return this.#context.channels(call.transport ?? this.transport)
  }

  /** Goes back to the preferred transport when its time has come: the next call finds out. */
  #probe(): void {
    if (this.#context.clock.now() >= this.#probeAtMs) this.#prefer()
  }

  #prefer(): void {
    this.#place = 0
    this.#reason = ''
  }
}

/**
 * Ends that say that a transport cannot be had here. `unavailable` is one for gRPC: its port may be shut where HTTP's is
 * open, and grpc-js says no more of a path that speaks HTTP/1.1. The others share their way.
 */
function rulesOutTransport(transport: TransportName, { code, reason }: BlobwireError): boolean {
  if (code === 'unimplemented' || code === 'unknown' || reason === 'malformed_response') return true
  if (reason === 'tls' || reason === 'circuit_open') return false
  return (code === 'unavailable' && transport === 'grpc') || (code === 'internal' && reason === '')
}
