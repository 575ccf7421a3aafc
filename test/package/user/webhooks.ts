/** Webhooks as a user's program has them. */
import { BlobwireError } from 'blobwire'
import {
  generateWebhookKeys,
  isPushEvent,
  type PushEvent,
  verifyWebhook,
  type WebhookDeadLetter,
  type WebhookMessage,
  WebhookSender,
  type WebhookSenderOptions
} from 'blobwire/webhooks'

const letters: WebhookDeadLetter[] = []

export const options: WebhookSenderOptions = {
  destinations: [{ id: 'ci', url: 'https://ci.example.org/hooks', secrets: [generateWebhookKeys().privateKey] }],
  outbox: { file: 'webhooks.db', maxPending: 1000 },
  retry: { delaysMs: [5000, 300_000] },
  breaker: { failures: 3 },
  connection: { maxConnections: 1 },
  guard: { allow: ['10.0.0.0/8'], ports: 'any' },
  onDeadLetter: (letter) => void letters.push(letter)
}

export async function send(event: PushEvent): Promise<string> {
  await using sender = new WebhookSender(options)
  const message: WebhookMessage = { ...event, orderingKey: event.data.repository }
  const { id } = await sender.send(message)
  for (const outcome of await sender.deliver(message)) {
    if (outcome.state === 'dead') throw outcome.error
    outcome.status.toFixed()
  }
  const [first] = sender.stats().destinations
  return first?.breaker === 'open' ? 'open' : id
}

/** Headers as Node has them, and as fetch has them. */
export function receive(
  headers: Record<string, string | string[] | undefined>,
  body: Uint8Array
): PushEvent | undefined {
  try {
    const fetched = { get: (name: string) => (name === 'webhook-id' ? 'x' : null) }
    verifyWebhook('whsec_x', fetched, body)
    const event = verifyWebhook(['whpk_x', 'whsec_x'], headers, body, { toleranceMs: 1000 }).json()
    return isPushEvent(event) ? event : undefined
  } catch (error) {
    if (error instanceof BlobwireError && error.is('webhook_signature')) return undefined
    throw error
  }
}
