/** The signature of a webhook: its headers, and the bytes that are signed. */
import type { Signer } from './secrets.ts'

/** The headers of the specification, "Webhook headers", and the type, which no signature covers. */
export const headerNames = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
  type: 'webhook-type'
} as const

/**
 * Ids have no full stop: the signed bytes join id, time and body by full stops, so that one with a full stop could be read
 * as another id, time and body under the same signature.
 */
export const idForm = /^[A-Za-z0-9_-]{1,128}$/

/** A type of events: names that full stops join. */
export const typeForm = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

/** The bytes that are signed: id, time in seconds, and body, joined by full stops. */
export function signedContent(id: string, seconds: number | string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${id}.${seconds}.`), body])
}

/** What is signed of a webhook, and the type of its event. */
export interface SignedFields {
  readonly id: string
  readonly type: string
  readonly body: Uint8Array
}

/** The headers of one attempt, which is made at `timeMs`; each signer adds a signature. */
export function signedHeaders(
  { id, type, body }: SignedFields,
  signers: readonly Signer[],
  timeMs: number
): Record<string, string> {
  const seconds = Math.floor(timeMs / 1000)
  const content = signedContent(id, seconds, body)
  return {
    [headerNames.id]: id,
    [headerNames.timestamp]: String(seconds),
    [headerNames.signature]: signers.map((signer) => signer.sign(content)).join(' '),
    [headerNames.type]: type
  }
}
