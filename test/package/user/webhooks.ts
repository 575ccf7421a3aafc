/** Webhooks as a user's program has them. */
import { BlobwireError } from 'blobwire'
import {
  type CloseSenderOptions,
  type DeadLettersOptions,
  generateWebhookKeys,
  generateWebhookSecret,
  isPushEvent,
  type PushData,
  type PushEvent,
  type PushMove,
  pushEvent,
  type VerifiedWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookDeadLetter,
  type WebhookDelivered,
  type WebhookDestination,
  type WebhookDestinationStats,
  type WebhookGuardOptions,
  type WebhookHeaders,
  type WebhookKeyPair,
  type WebhookMessage,
  type WebhookOutboxOptions,
  type WebhookOutcome,
  type WebhookReceipt,
  type WebhookRetryOptions,
  WebhookSender,
  type WebhookSenderOptions,
  type WebhookStats
} from 'blobwire/webhooks'

const letters: WebhookDeadLetter[] = []
const keys: WebhookKeyPair = generateWebhookKeys()
const destination: WebhookDestination = {
  id: 'ci',
  url: 'https://ci.example.org/hooks',
  secrets: [keys.privateKey, generateWebhookSecret()]
}
const outbox: WebhookOutboxOptions = { file: 'webhooks.db', maxPending: 1000 }
const retry: WebhookRetryOptions = { delaysMs: [5000, 300_000] }
const guard: WebhookGuardOptions = { allow: ['10.0.0.0/8'], ports: 'any' }

export const options: WebhookSenderOptions = {
  destinations: [destination],
  outbox,
  retry,
  breaker: { failures: 3 },
  connection: { maxConnections: 1 },
  guard,
  onDelivered: ({ afterMs }: WebhookDelivered) => afterMs.toFixed(),
  onDeadLetter: (letter) => void letters.push(letter)
}

const drain: CloseSenderOptions = { drainMs: 1000 }

/** A move of a branch, as the server tells it. */
export function moved(move: PushMove): PushEvent {
  const data: PushData = { repository: 'demo', sequence: 1, moves: [move] }
  return pushEvent(data, 0)
}

export async function send(event: PushEvent): Promise<string> {
  await using sender = new WebhookSender(options)
  const message: WebhookMessage = { ...event, orderingKey: event.data.repository }
  const { id }: WebhookReceipt = await sender.send(message)
  const outcomes: WebhookOutcome[] = await sender.deliver(message)
  for (const outcome of outcomes) {
    if (outcome.state === 'dead') throw outcome.error
    outcome.status.toFixed()
  }
  const page: DeadLettersOptions = { destination: 'ci', limit: 10 }
  letters.push(...sender.deadLetters(page))
  const stats: WebhookStats = sender.stats()
  const first: WebhookDestinationStats | undefined = stats.destinations[0]
  await sender.close(drain)
  return first?.breaker === 'open' ? 'open' : id
}

/** Headers as Node has them, and as fetch has them. */
export function receive(
  headers: Record<string, string | string[] | undefined>,
  body: Uint8Array
): PushEvent | undefined {
  try {
    const fetched: WebhookHeaders = { get: (name: string) => (name === 'webhook-id' ? 'x' : null) }
    const strict: VerifyWebhookOptions = { toleranceMs: 1000 }
    verifyWebhook('whsec_x', fetched, body)
    const verified: VerifiedWebhook = verifyWebhook(['whpk_x', 'whsec_x'], headers, body, strict)
    const event = verified.json()
    return isPushEvent(event) ? event : undefined
  } catch (error) {
    if (error instanceof BlobwireError && error.is('webhook_signature')) return undefined
    throw error
  }
}
