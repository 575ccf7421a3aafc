/** The metrics of push events. Destinations are those of the server's own file, and so are few. */
import type { Family } from './prometheus-family.ts'
import type { ServerFigures, WebhookFigures } from './snapshot.ts'

const byDestination =
  (value: (figures: WebhookFigures) => number) =>
  ({ webhooks }: ServerFigures) =>
    Object.entries(webhooks).map(([destination, figures]) => ({ labels: { destination }, value: value(figures) }))

export const webhookFamilies: readonly Family[] = [
  {
    type: 'gauge',
    name: 'blobwire_server_webhooks_waiting',
    help: 'Push events that wait for a destination.',
    samples: byDestination(({ waiting }) => waiting)
  },
  {
    type: 'gauge',
    name: 'blobwire_server_webhook_dead_letters',
    help: 'Push events that were given up, and are kept.',
    samples: byDestination(({ dead }) => dead)
  },
  {
    type: 'counter',
    name: 'blobwire_server_webhooks_delivered_total',
    help: 'Push events that a destination has taken.',
    samples: byDestination(({ delivered }) => delivered)
  },
  {
    type: 'counter',
    name: 'blobwire_server_webhook_failed_attempts_total',
    help: 'Attempts of push events that failed.',
    samples: byDestination(({ failedAttempts }) => failedAttempts)
  },
  {
    type: 'gauge',
    name: 'blobwire_server_webhook_breaker_open',
    help: '1 while the circuit breaker of a destination is not closed.',
    samples: byDestination(({ breakerOpen }) => breakerOpen)
  }
]
