/** The feed of the dashboard, on a fake clock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Feed } from '../../server-fixture/admin/feed.ts'
import type { FeedSnapshot } from '../../server-fixture/admin/feed-snapshot.ts'
import { Health } from '../../server-fixture/health/health.ts'
import { ServerMetrics } from '../../server-fixture/metrics/server-metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'

test('whoever begins to watch in between is told at once, and changes no rate of the others', async (context) => {
  const clock = new FakeClock()
  const metrics = new ServerMetrics()
  context.after(() => metrics.close())
  const figures = {
    snapshot: async () => metrics.snapshot(),
    notable: async () => metrics.notable.figures(),
    watch: () => undefined
  }
  const health = new Health({}, { heldBytes: 0, maxBytes: 1 }, { minFreeBytes: 0, clock })
  const feed = new Feed({ figures, health, serverVersion: '1', clock })
  const rates = (seen: number[]) => (text: string) => seen.push((JSON.parse(text) as FeedSnapshot).callsPerSecond)
  const [first, second]: [number[], number[]] = [[], []]
  const ends = [feed.subscribe(rates(first))]
  await turn()
  metrics.transports.json.calls.ended('GetBlob', undefined, 1)
  clock.advance(1000)
  await turn()
  metrics.transports.json.calls.ended('GetBlob', undefined, 1)
  clock.advance(1)
  ends.push(feed.subscribe(rates(second)))
  await turn()
  clock.advance(999)
  await turn()
  assert.deepEqual(
    [first, second],
    [
      [0, 1, 1],
      [1, 1]
    ]
  )
  for (const end of ends) end()
})
