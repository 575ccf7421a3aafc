/** The suite of webhooks: what dead and slow destinations, and a file, cost the good ones. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateWebhookSecret, WebhookSender } from '../../src/webhooks.ts'
import type { Contender, Suite } from '../measure/scenario.ts'
import { type Kind, kinds, percentile, startReceivers } from '../servers/webhook-receivers.ts'

const perSecond = 100

function sending(name: string, all: readonly Kind[], inFile: boolean): Contender {
  return {
    name,
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      const receivers = await startReceivers(all, generateWebhookSecret())
      const sender = new WebhookSender({
        destinations: receivers.destinations,
        guard: { allow: ['127.0.0.1'], http: true },
        ...(inFile ? { outbox: { file: join(directory, 'outbox.db') } } : {})
      })
      const ids = receivers.destinations.map(({ id }) => id)
      const isGood = (id: string) => id.startsWith('good')
      let sent = 0
      return {
        /** The 95th percentile of the time from `send` to the receiver's handler, of the good destinations. */
        async run(durationMs) {
          const before = receivers.arrivals.length
          const beganAtMs = performance.now()
          const wanted = new Set<string>()
          const count = Math.max(all.length, Math.round((durationMs * perSecond) / 1000))
          for (let done = 0; done < count; ) {
            const due = Math.min(count, ((performance.now() - beganAtMs) * perSecond) / 1000)
            for (; done < due; done++) {
              const destination = ids[sent++ % ids.length] as string
              const data = { sentAtMs: Date.now() }
              const { id } = await sender.send({ type: 'push', data, destinations: [destination] })
              if (isGood(destination)) wanted.add(id)
            }
            await sleep(2)
          }
          const arrived = () => receivers.arrivals.slice(before).filter(({ id }) => wanted.has(id))
          while (arrived().length < wanted.size) await sleep(5)
          return percentile(
            arrived().map(({ tookMs }) => tookMs),
            0.95
          )
        },
        facts: () => {
          const opened = sender.stats().destinations.filter(({ breakerOpenings }) => breakerOpenings > 0)
          return { 'breakers opened': opened.map(({ id }) => id).join(' ') || 'none' }
        },
        async close() {
          await sender.close({ drainMs: 0 })
          await receivers.close()
          await rm(directory, { recursive: true, force: true })
        }
      }
    }
  }
}

/** Webhooks to destinations of all kinds. */
export const webhooks: Suite = {
  name: 'webhooks',
  about: `p95 of ${perSecond} webhooks a second to twenty destinations: all good, or three dead and two slow ones among them.`,
  scenarios: () => [
    {
      suite: 'webhooks',
      name: `${perSecond} webhooks a second to 20 destinations: p95 of the good ones until they have it`,
      unit: 'ms',
      better: 'less',
      baseline: 'all good, outbox in a file',
      contenders: [
        sending('three dead, two slow, outbox in a file', kinds, true),
        sending(
          'all good, outbox in a file',
          kinds.map(() => 'good'),
          true
        ),
        sending('three dead, two slow, outbox in memory', kinds, false)
      ]
    }
  ]
}
