/** Verifies webhooks that were received. */
import { checkKeys, checkNumber, checkObject, show } from '../core/check-options.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import type { KnownReason } from '../core/reasons.ts'
import { type Verifier, verifierOf } from './secrets.ts'
import { headerNames, idForm, signedContent } from './signature.ts'

/** The headers of a request: the object of Node's servers, or the `Headers` of fetch. */
export type WebhookHeaders =
  | { get(name: string): string | null | undefined }
  | { readonly [name: string]: string | readonly string[] | undefined }

/** Options of `verifyWebhook`. */
export interface VerifyWebhookOptions {
  /**
   * Most difference between the time in the headers and the clock of the receiver, in either direction, in milliseconds.
   * A webhook that somebody recorded is refused after this time.
   * @default 300000
   */
  toleranceMs?: number | undefined
  /**
   * The time of the receiver, in milliseconds since 1970-01-01T00:00:00Z.
   * @default Date.now()
   */
  nowMs?: number | undefined
}

/** A webhook that its signature vouches for. */
export interface VerifiedWebhook {
  /**
   * The id of the webhook, the same in all attempts. Keep the ids of the webhooks that were processed, and answer a webhook
   * whose id is among them with 200: a sender repeats what it had no answer to.
   */
  readonly id: string
  /** Time of the attempt, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly timestampMs: number
  /** The body that was verified. */
  readonly body: Uint8Array
  /** The JSON of the body. @throws BlobwireError `invalid_argument`, reason `malformed`, where the body is no JSON */
  json(): unknown
}

const defaultToleranceMs = 300_000

/** Most signatures that are looked at: a sender has as many as it has secrets, and an attacker's cost time. */
const maxSignatures = 16

/**
 * Verifies a webhook that was received: its signature (Standard Webhooks, v1 and v1a) and its time.
 *
 * `body` is the body exactly as it came. JSON that was parsed and written again has other bytes, which no signature fits.
 *
 * `secrets` is one secret (`whsec_…`) or public key (`whpk_…`), or several while they are being changed: one has to fit.
 *
 * @throws BlobwireError `unauthenticated`, reason `webhook_signature` where no signature fits or a header is missing,
 * reason `webhook_timestamp` where the time is not within the tolerance; `invalid_argument` for a body that is not raw,
 * and for secrets of another form
 * @example
 * const { id, json } = verifyWebhook(secret, request.headers, await buffer(request))
 */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: WebhookHeaders,
  body: string | Uint8Array,
  options?: VerifyWebhookOptions
): VerifiedWebhook {
  const { toleranceMs = defaultToleranceMs, nowMs = Date.now() } = checkOptions(options)
  const verifiers = verifiersOf(secrets)
  const bytes = bytesOf(body)
  const id = headerOf(headers, headerNames.id)
  const timestamp = headerOf(headers, headerNames.timestamp)
  const signatures = headerOf(headers, headerNames.signature)
  if (!idForm.test(id)) throw refused('webhook_signature', `the header ${headerNames.id} is not one of a webhook`)
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw refused('webhook_timestamp', `the header ${headerNames.timestamp} must be a number of seconds`)
  }
  if (!fits(verifiers, signedContent(id, timestamp, bytes), signatures)) {
    throw refused(
      'webhook_signature',
      'no signature fits: the secret is another one, or the body is not the one that was sent, byte for byte'
    )
  }
  const timestampMs = Number(timestamp) * 1000
  if (Math.abs(nowMs - timestampMs) > toleranceMs) {
    const message = `the webhook was sent at ${new Date(timestampMs).toISOString()}, more than ${toleranceMs} ms from now`
    throw refused('webhook_timestamp', message)
  }
  return { id, timestampMs, body: bytes, json: () => parse(bytes) }
}

function checkOptions(given: VerifyWebhookOptions | undefined): VerifyWebhookOptions {
  const options = checkObject('options', given)
  checkKeys('', options, ['toleranceMs', 'nowMs'])
  if (options.toleranceMs !== undefined) checkNumber('toleranceMs', options.toleranceMs)
  if (options.nowMs !== undefined) checkNumber('nowMs', options.nowMs)
  return options
}

function verifiersOf(secrets: string | readonly string[]): readonly Verifier[] {
  const list = typeof secrets === 'string' ? [secrets] : secrets
  if (!Array.isArray(list) || list.length === 0) {
    throw invalidArgument('secrets', 'must be a secret, or a list of at least one')
  }
  return list.map((secret, index) => verifierOf(typeof secrets === 'string' ? 'secrets' : `secrets[${index}]`, secret))
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return body
  throw invalidArgument(
    'body',
    `must be the raw body of the request, as text or bytes, not ${show(body)}; a body that a framework has parsed is ` +
      'no longer the one that was signed: read it with request.text(), express.raw() or the like'
  )
}

/** Names of headers have no case. */
function headerOf(headers: WebhookHeaders, name: string): string {
  if (typeof headers !== 'object' || headers === null) {
    throw invalidArgument('headers', `must be the headers of the request, not ${show(headers)}`)
  }
  const value = typeof headers.get === 'function' ? headers.get(name) : ofRecord(headers, name)
  const first = Array.isArray(value) ? value[0] : value
  if (typeof first === 'string' && first !== '') return first
  throw refused('webhook_signature', `the request has no header ${name}`)
}

function ofRecord(headers: object, name: string): unknown {
  const record = headers as Readonly<Record<string, unknown>>
  if (Object.hasOwn(record, name)) return record[name]
  const found = Object.keys(record).find((key) => key.toLowerCase() === name)
  return found === undefined ? undefined : record[found]
}

/** Whether one of the signatures is one of the secrets'. All are looked at, so that the time does not tell which one is. */
function fits(verifiers: readonly Verifier[], content: Uint8Array, header: string): boolean {
  let isGood = false
  for (const entry of header.split(' ', maxSignatures)) {
    const comma = entry.indexOf(',')
    const version = entry.slice(0, comma)
    const signature = Buffer.from(entry.slice(comma + 1), 'base64')
    for (const verifier of verifiers) {
      if (verifier.version === version && verifier.verifies(content, signature)) isGood = true
    }
  }
  return isGood
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch (cause) {
    throw new BlobwireError({ reason: 'malformed', message: 'the body of the webhook is no JSON', cause })
  }
}

function refused(reason: KnownReason, message: string): BlobwireError {
  return new BlobwireError({ reason, message })
}
