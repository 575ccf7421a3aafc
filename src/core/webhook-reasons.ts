/** The rows of `reason-rows.ts` that webhooks have. */

export const webhookRows = {
  address_refused: {
    code: 'permission_denied',
    text: 'The destination of a webhook is at an address, port or scheme that the guard of the sender refuses.',
    refusal: true,
    breaker: 'none'
  },
  receiver_refused: {
    code: 'failed_precondition',
    text: 'The receiver of a webhook answered with a status that tells not to try again, such as 400 or 410.'
  },
  receiver_failed: {
    code: 'unavailable',
    text: 'The receiver of a webhook answered with a status such as 500 or 429, until there were no attempts left.'
  },
  webhook_expired: {
    code: 'deadline_exceeded',
    text: 'A webhook was not delivered within `expiresAfterMs`.',
    refusal: true
  },
  outbox_failed: {
    code: 'unavailable',
    text: 'The file of the outbox could not be written; the webhook is not accepted.',
    breaker: 'none'
  },
  webhook_signature: {
    code: 'unauthenticated',
    text: 'A webhook that was received has no signature that fits, or lacks a header.'
  },
  webhook_timestamp: {
    code: 'unauthenticated',
    text: 'A webhook that was received is older or newer than the tolerance allows.'
  }
} as const
