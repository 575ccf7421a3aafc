/** Events in the journal: those that come late follow the others, once; those of deleted repositories go. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { JournalEvents } from '../../server-fixture/store/git/journal-events.ts'
import { RequestJournal } from '../../server-fixture/store/git/request-journal.ts'
import type { KeyedRequest } from '../../server-fixture/store/store.ts'
import { keyed, temporaryDirectory } from './support.ts'

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

test('events have a bound beside their time; requests that share their segments are remembered all the same', async (context) => {
  const directory = await temporaryDirectory(context)
  const options = { maxBytes: 1, maxEvents: 3 }
  let journal = await RequestJournal.open(directory, options)
  context.after(() => journal.close())
  // A segment each, and the marks with the next one.
  const write = async (requestId: string, requests: readonly KeyedRequest[] = []) => {
    journal.done(await journal.intend([{ ...intentOf(requestId), requests }]))
    await journal.flush()
  }
  const known = async () => {
    const page = await journal.events.following(
      'demo',
      { incarnation: 'i', sequence: journal.events.droppedOf('i') },
      100
    )
    return page?.events.map(({ requestId }) => requestId)
  }
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await write(id)
  // It is looked at when a segment begins, before the event in it counts.
  assert.deepEqual(await known(), ['c', 'd', 'e', 'f'])
  const files = async () => (await readdir(directory)).length
  const before = await files()
  for (const id of ['g', 'h', 'i']) await write(id)
  assert.equal(await files(), before)
  await write('keyed', [keyed('key', 'done', [])])
  for (const id of ['j', 'k', 'l', 'm', 'n']) await write(id)
  assert.deepEqual(await known(), ['k', 'l', 'm', 'n'])
  await journal.close()
  journal = await RequestJournal.open(directory, options)
  assert.deepEqual(await known(), ['l', 'm', 'n'])
  assert.notEqual(await journal.recall('demo', 'key'), undefined)
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
