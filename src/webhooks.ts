// Webhooks: sending them, and verifying those that were received.
import './check-node.cts'

export type { WebhookDestination } from './webhooks/destination.ts'
export type { WebhookDeadLetter, WebhookDelivered, WebhookOutcome } from './webhooks/events.ts'
export type { WebhookGuardOptions } from './webhooks/guard.ts'
export type { WebhookMessage } from './webhooks/message.ts'
export type { WebhookOutboxOptions, WebhookRetryOptions, WebhookSenderOptions } from './webhooks/options.ts'
export { isPushEvent, type PushData, type PushEvent, type PushMove, pushEvent } from './webhooks/push-event.ts'
export { generateWebhookKeys, generateWebhookSecret, type WebhookKeyPair } from './webhooks/secrets.ts'
export {
  type CloseSenderOptions,
  type DeadLettersOptions,
  type WebhookReceipt,
  WebhookSender
} from './webhooks/sender.ts'
export type { WebhookDestinationStats, WebhookStats } from './webhooks/stats.ts'
export {
  type VerifiedWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookHeaders
} from './webhooks/verify.ts'
