/** The sender of `soak/webhooks.ts`, a process of its own, which may be killed at any time: `node sender.ts '{…}'`. */
import { type WebhookDestination, WebhookSender } from '../../src/webhooks.ts'

/** Its argument. */
export interface SenderOrder {
  readonly file: string
  readonly destinations: readonly WebhookDestination[]
  readonly perSecond: number
  readonly durationMs: number
}

/** Its reports: a webhook that was accepted, or the figures at the end. */
export type SenderReport =
  | { readonly accepted: string; readonly destination: string }
  | { readonly stats: ReturnType<WebhookSender['stats']>; readonly handles: readonly string[] }

const { file, destinations, perSecond, durationMs } = JSON.parse(process.argv[2] ?? '{}') as SenderOrder
const report = (one: SenderReport) => process.send?.(one)
const sender = new WebhookSender({
  destinations,
  outbox: { file },
  guard: { allow: ['127.0.0.1'], http: true },
  timeoutMs: 5000,
  expiresAfterMs: 3_600_000,
  onDeadLetter: () => undefined
})
const beganAtMs = performance.now()
const count = (durationMs * perSecond) / 1000
for (let done = 0; done < count; ) {
  const due = Math.min(count, ((performance.now() - beganAtMs) * perSecond) / 1000)
  for (; done < due; done++) {
    const { id: destination } = destinations[done % destinations.length] as WebhookDestination
    sender
      .send({ type: 'push', data: { sentAtMs: Date.now() }, destinations: [destination] })
      .then(({ id }) => report({ accepted: id, destination }))
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
const isGood = ({ id }: { readonly id: string }) => /^(good|slow)/.test(id)
while (sender.stats().destinations.some((one) => isGood(one) && one.pending > 0)) {
  await new Promise((resolve) => setTimeout(resolve, 50))
}
const stats = sender.stats()
await sender.close({ drainMs: 3000 })
// What the closed sender leaves behind shows among these.
report({ stats, handles: process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|FSReq/.test(name)) })
process.disconnect?.()
