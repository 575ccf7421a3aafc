/** Events in the journal: those that come late follow the others, once; those of deleted repositories go. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { JournalEvents } from '../../server-fixture/store/git/journal-events.ts'
import { RequestJournal } from '../../server-fixture/store/git/request-journal.ts'
import { temporaryDirectory } from './support.ts'

const intentOf = (requestId: string) => {
  const moves = [{ name: `refs/heads/${requestId}`, expectedOid: '0'.repeat(40), newOid: '1'.repeat(40) }]
  return { repository: 'demo', effect: 'moves', instance: 'i', moves, requests: [], events: [{ requestId }] } as const
}

/** Those of the repository, in order. */
async function eventsOf({ events }: RequestJournal): Promise<(string | undefined)[]> {
  // The first segment is 1.
  const page = await events.following('demo', { incarnation: 'i', sequence: 2 ** 32 - 1 }, 100)
  return page?.events.map(({ requestId }) => requestId) ?? []
}

test('an event that came late is there once, where the server is killed before its mark is written', async (context) => {
  const directory = await temporaryDirectory(context)
  const [live, killed] = [join(directory, 'live'), join(directory, 'killed')]
  const journal = await RequestJournal.open(live)
  context.after(() => journal.close())
  const [first = 0, second = 0] = await journal.intend([intentOf('first'), intentOf('second')])
  journal.done([second])
  await journal.flush()
  const told = new Promise<void>((resolve) => {
    // Its event counts, and its mark waits for the next record.
    journal.events.listeners.add(() => {
      cpSync(live, killed, { recursive: true })
      resolve()
    })
  })
  journal.done([first])
  await told
  assert.deepEqual(await eventsOf(journal), ['second', 'first'])
  const next = await RequestJournal.open(killed)
  assert.deepEqual(
    next.openIntents().map(({ id }) => id),
    [first]
  )
  next.done([first])
  await next.flush()
  assert.deepEqual(await eventsOf(next), ['second', 'first'])
  await next.close()
  const last = await RequestJournal.open(killed)
  context.after(() => last.close())
  assert.deepEqual([await eventsOf(last), last.openIntents()], [['second', 'first'], []])
})

test('a deleted repository is forgotten with the last of its events; one that is there is not', async () => {
  const events = new JournalEvents(async () => undefined)
  for (const instance of ['deleted', 'there']) {
    for (const place of [100, 200]) events.add({ ...intentOf('r'), instance }, 2 ** 32 + place)
  }
  events.end('demo', 'deleted')
  events.dropBefore(2 ** 32 + 150)
  assert.equal(events.knows('demo', 'deleted'), true)
  events.dropBefore(2 ** 32 + 250)
  assert.deepEqual([events.knows('demo', 'deleted'), events.knows('demo', 'there')], [false, true])
})
