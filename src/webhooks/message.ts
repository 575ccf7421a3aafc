/** Webhooks as an application gives them, and their checks. */
import { randomUUID } from 'node:crypto'
import { checkKeys, checkObject, numberProblem, show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import type { NewMessage } from './outbox.ts'
import { idForm, typeForm } from './signature.ts'

/** A webhook to send. It has either `data`, of which its JSON is made, or a `body` of its own. A `PushEvent` is one. */
export interface WebhookMessage {
  /** Type of the event, such as `push` or `invoice.paid`. */
  readonly type: string
  /**
   * The event: the body is `{"type":…,"timestamp":…,"data":…}`, in the form that the specification recommends.
   * @default none
   */
  readonly data?: unknown
  /**
   * Time of the event, after ISO 8601, for the body that is made of `data`.
   * @default now
   */
  readonly timestamp?: string | undefined
  /**
   * The body, byte for byte.
   * @default made of `data`
   */
  readonly body?: string | Uint8Array | undefined
  /**
   * Type of the content of `body`.
   * @default 'application/json'
   */
  readonly contentType?: string | undefined
  /**
   * Id of the webhook, at most 128 letters, digits, `_` and `-`: the same in all attempts, and known to receivers, which
   * leave out an id that they have seen. A webhook whose id is in the outbox is not added again.
   * @default a random one
   */
  readonly id?: string | undefined
  /**
   * Webhooks of one key arrive at a destination in the order of their `send`: each waits until the earlier ones have
   * arrived or were given up. Without a key, attempts begin in the order of `send`, and end in any order.
   * @default none
   */
  readonly orderingKey?: string | undefined
  /**
   * Ids of the destinations.
   * @default all that take the type
   */
  readonly destinations?: readonly string[] | undefined
  /**
   * Time from now after which the delivery becomes a dead letter, in milliseconds.
   * @default the sender's
   */
  readonly expiresAfterMs?: number | undefined
}

/** Besides `data` and `timestamp`, which may have any value. */
const names = [
  ...['type', 'data', 'timestamp', 'body', 'contentType', 'id', 'orderingKey', 'destinations', 'expiresAfterMs']
]

/** What of the sender a message needs. */
export interface MessageContext {
  readonly nowMs: number
  readonly expiresAfterMs: number
  readonly maxBodyBytes: number
  /** Ids of the destinations that take a type. */
  destinationsOf(type: string): readonly string[]
  isDestination(id: string): boolean
}

/** An id that no other webhook has. */
export function newMessageId(): string {
  return `msg_${randomUUID().replaceAll('-', '')}`
}

/** @throws BlobwireError `invalid_argument` naming the field; `resource_exhausted` for a body that is too large */
export function toMessage(given: WebhookMessage, context: MessageContext): NewMessage {
  const message = checkObject('message', given)
  checkKeys('message', message, names)
  const { type, id = newMessageId(), contentType = 'application/json', orderingKey } = message
  if (typeof type !== 'string' || !typeForm.test(type) || type.length > 128) {
    throw invalidArgument('message.type', `must be names joined by full stops, such as "push", not ${show(type)}`)
  }
  if (typeof id !== 'string' || !idForm.test(id)) {
    throw invalidArgument('message.id', `must be 1 to 128 letters, digits, "_" or "-", not ${show(id)}`)
  }
  if (typeof contentType !== 'string' || !/^[\x21-\x7e][\x20-\x7e]{0,200}$/.test(contentType)) {
    throw invalidArgument('message.contentType', `must be a media type, not ${show(contentType)}`)
  }
  if (orderingKey !== undefined && (typeof orderingKey !== 'string' || orderingKey === '')) {
    throw invalidArgument('message.orderingKey', `must be text, not ${show(orderingKey)}`)
  }
  const { expiresAfterMs = context.expiresAfterMs } = message
  const problem = numberProblem(expiresAfterMs, { above: 0 })
  if (problem !== undefined) throw invalidArgument('message.expiresAfterMs', problem)
  return {
    ...{ id, type, contentType, orderingKey },
    body: bodyOf(message, context),
    destinations: destinationsOf(message, context),
    sentAtMs: context.nowMs,
    expiresAtMs: Math.ceil(context.nowMs + expiresAfterMs)
  }
}

function bodyOf(message: WebhookMessage, { nowMs, maxBodyBytes }: MessageContext): Uint8Array {
  const { type, data, body, timestamp = new Date(nowMs).toISOString() } = message
  if ((data === undefined) === (body === undefined)) {
    throw invalidArgument('message', 'must have either data or body')
  }
  if (typeof data === 'function' || typeof data === 'symbol') {
    throw invalidArgument('message.data', `must be what JSON can say, not a ${typeof data}`)
  }
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw invalidArgument('message.body', `must be text or bytes, not ${show(body)}; give objects as data`)
  }
  // A copy: the caller may change its bytes before they are on the disk.
  const bytes = Buffer.from((body as string | undefined) ?? jsonOf({ type, timestamp, data }))
  if (bytes.length > maxBodyBytes) {
    throw invalidArgument(
      'message',
      `its body has ${bytes.length} bytes; at most ${maxBodyBytes} are allowed (outbox.maxBodyBytes)`
    )
  }
  return bytes
}

function jsonOf(event: object): string {
  try {
    return JSON.stringify(event)
  } catch (cause) {
    throw invalidArgument('message.data', `must be what JSON can say: ${(cause as Error).message}`)
  }
}

function destinationsOf({ type, destinations }: WebhookMessage, context: MessageContext): readonly string[] {
  if (destinations === undefined) return context.destinationsOf(type)
  if (!Array.isArray(destinations)) {
    throw invalidArgument('message.destinations', `must be a list of ids, not ${show(destinations)}`)
  }
  for (const [index, id] of destinations.entries()) {
    if (context.isDestination(id)) continue
    throw invalidArgument(`message.destinations[${index}]`, `there is no destination ${show(id)}`)
  }
  return [...new Set(destinations)]
}
