// Webhooks: sending them, and verifying those that were received.
import './check-node.cts'

export { isPushEvent, type PushData, type PushEvent, type PushMove, pushEvent } from './webhooks/push-event.ts'
export { generateWebhookKeys, generateWebhookSecret, type WebhookKeyPair } from './webhooks/secrets.ts'
export {
  type VerifiedWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookHeaders
} from './webhooks/verify.ts'
