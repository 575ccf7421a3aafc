/** Selects the transport of each attempt, and with it the endpoint. */
import type { Call } from '../call/call.ts'
import type { Clock } from '../core/clock.ts'
import type { BlobwireError, TransportName } from '../core/error.ts'
import { mayRetry, rulesOutTransport } from '../core/reasons.ts'
import type { Report } from '../telemetry/client-event.ts'
import { Fallback } from './fallback.ts'
import type { Channel, Pick as PickedChannel, Picker } from './picker.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** A call or a transfer, as far as the choice of its transport goes. */
type Routed = Pick<Call, 'transport'>

/** The transports of a client. */
export interface TransportSelectorContext {
  readonly clock: Clock
  /** In the order of preference; one = the application chose it. */
  readonly transports: readonly TransportName[]
  /** The picker of a transport, made when it is first wanted. */
  readonly pickers: (transport: TransportName) => Picker
  readonly report: Report
}

/**
 * A transport that cannot be had (the server does not speak it, or something on the way blocks it) gives way to the
 * next; the selector remembers that, and tries the preferred one again after a while.
 */
export class TransportSelector {
  readonly #context: TransportSelectorContext
  readonly #fallback: Fallback
  /** Place of the transport in use. */
  #place = 0
  /** The error for which the preferred transport gave way, where a retry may help. */
  #gaveWay: BlobwireError | undefined

  constructor(context: TransportSelectorContext) {
    this.#context = context
    this.#fallback = new Fallback(context.clock, (reason) =>
      context.report('transport_changed', { transport: this.transport, reason })
    )
  }

  /** The transport of calls that do not ask for one. */
  get transport(): TransportName {
    return this.#context.transports[this.#place] as TransportName
  }

  /** Why the preferred transport is not in use; empty where it is. */
  get reason(): string {
    return this.#fallback.reason
  }

  /** The channel for the next attempt of a call; `avoid` is where it has just failed. Undefined = all breakers are open. */
  pick(call: Routed, avoid?: Channel): PickedChannel | undefined {
    if (this.#place > 0 && this.#fallback.takeProbe()) this.#prefer()
    return this.#picker(call).pick(avoid)
  }

  /** Where the call waits for a breaker. */
  waitingRoom(call: Routed): WaitingRoom {
    return this.#picker(call).waitingRoom
  }

  /** The error of a call that no breaker gave a permit. */
  circuitOpen(call: Routed): BlobwireError {
    return this.#picker(call).circuitOpen()
  }

  /** Whether the call could go to another endpoint. */
  hasOther(call: Routed, channel: Channel): boolean {
    return this.#picker(call).hasOther(channel)
  }

  /**
   * Whether the call, which failed on this channel, goes by another transport, at once. Only before a transport has
   * worked: later failures are failures like any other.
   */
  fallsBack(call: Routed, channel: Channel, error: BlobwireError): boolean {
    const { transports } = this.#context
    if (call.transport !== undefined || transports.length === 1 || channel.verified) return false
    const failed = transports.indexOf(channel.transport)
    // Another call has found out already.
    if (failed !== this.#place) return failed < this.#place
    const isRuledOut = rulesOutTransport(channel.transport, error)
    if (!isRuledOut && error.sent === 'processed') {
      // An answer, if not the wanted one.
      channel.verified = true
      return false
    }
    if (!isRuledOut || failed === transports.length - 1) {
      // The last transport fails, too: the server is not there.
      this.#prefer()
      return false
    }
    const isFirst = this.#place++ === 0
    if (isFirst) {
      this.#gaveWay = mayRetry(error) ? error : undefined
      this.#fallback.activate(error)
    }
    return true
  }

  /**
   * The failure of a call that has no transport left. That the other transports are not spoken there does not tell why
   * the preferred one failed: where that may pass, the call may be retried.
   */
  failureOf(call: Routed, channel: Channel, error: BlobwireError): BlobwireError {
    const { sent, attempts, requestId } = error
    const gaveWay =
      call.transport === undefined && channel.transport !== this.#context.transports[0] ? this.#gaveWay : undefined
    if (gaveWay === undefined || channel.verified || !rulesOutTransport(channel.transport, error)) return error
    return gaveWay.with({ sent, attempts, requestId })
  }

  /** The transports that the server names: another one is not tried, if there is a choice. */
  offered(names: readonly string[]): void {
    const place = this.#context.transports.findIndex((name) => names.includes(name))
    if (place <= this.#place || names.includes(this.transport)) return
    this.#place = place
    this.#fallback.activateForLong('not_offered')
  }

  #picker(call: Routed): Picker {
    return this.#context.pickers(call.transport ?? this.transport)
  }

  #prefer(): void {
    this.#place = 0
    this.#fallback.tryPreference()
  }
}
