import assert from 'node:assert/strict'
import { appendFile, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JournalSegments } from '../../server-fixture/store/git/journal-segments.ts'
import { RequestJournal } from '../../server-fixture/store/git/request-journal.ts'
import { StoreSteps } from '../../server-fixture/store/vitals.ts'
import { keyed, temporaryDirectory } from './support.ts'

const hourMs = 3_600_000

async function openJournal(context: TestContext, directory: string, options = {}): Promise<RequestJournal> {
  const journal = await RequestJournal.open(directory, options)
  context.after(() => journal.close())
  return journal
}

const outcomeOf = async (journal: RequestJournal, key: string) => (await journal.recall('demo', key))?.outcome

const segmentsOf = async (directory: string) =>
  (await readdir(directory)).toSorted().map((name) => join(directory, name))

const moves = [{ name: 'refs/heads/main', expectedOid: '0'.repeat(40), newOid: '1'.repeat(40) }]
const intentOf = (key: string) => {
  const requests = [keyed(key, `outcome of ${key}`, moves)]
  return { repository: 'demo', effect: 'moves', instance: 'i', moves, requests } as const
}

test('only what is done is recalled; an intent without a mark is open at the next start', async (context) => {
  const directory = await temporaryDirectory(context)
  const first = await RequestJournal.open(directory)
  const [done = 0, dropped = 0] = await first.intend(['done', 'dropped', 'open'].map(intentOf))
  assert.equal(await outcomeOf(first, 'done'), undefined)
  first.done([done])
  first.drop([dropped])
  assert.equal(await outcomeOf(first, 'done'), 'outcome of done')
  await first.close()
  const second = await openJournal(context, directory)
  assert.equal(await outcomeOf(second, 'done'), 'outcome of done')
  assert.equal(await outcomeOf(second, 'dropped'), undefined)
  const [intent, ...others] = second.openIntents()
  assert.deepEqual([intent?.requests, intent?.moves, others.length], [intentOf('open').requests, moves, 0])
})

test('a mark is on disk before the record of a later write, and soon without one', async (context) => {
  const directory = await temporaryDirectory(context)
  const journal = await openJournal(context, directory)
  const [id = 0] = await journal.intend([intentOf('first')])
  journal.done([id])
  await journal.intend([intentOf('second')])
  const [file = ''] = await segmentsOf(directory)
  const text = await readFile(file, 'latin1')
  assert.ok(text.indexOf('"done":[') > 0 && text.indexOf('"done":[') < text.indexOf('second'))
  journal.drop([id])
  await journal.flush()
  assert.ok((await readFile(file, 'latin1')).includes(`"dropped":[${id}]`))
})

test('a torn end is cut off at every byte, whole records before it are kept, and the journal goes on', async (context) => {
  const directory = await temporaryDirectory(context)
  const first = await RequestJournal.open(directory)
  await first.remember('demo', [keyed('whole', 'kept', [])])
  const [file = ''] = await segmentsOf(directory)
  const { size: whole } = await stat(file)
  await first.remember('demo', [keyed('torn', 'cut', [])])
  await first.close()
  const bytes = await readFile(file)
  for (let size = whole + 1; size < bytes.length; size += 7) {
    await writeFile(file, bytes.subarray(0, size))
    const journal = await RequestJournal.open(directory)
    assert.equal((await stat(file)).size, whole)
    assert.equal(await outcomeOf(journal, 'whole'), 'kept')
    assert.equal(await outcomeOf(journal, 'torn'), undefined)
    await journal.remember('demo', [keyed('next', `after ${size}`, [])])
    await journal.close()
    const again = await RequestJournal.open(directory)
    assert.equal(await outcomeOf(again, 'next'), `after ${size}`)
    await again.close()
  }
  // Blocks of the file that never reached the disk are zeros.
  await writeFile(file, bytes.subarray(0, whole))
  await appendFile(file, Buffer.alloc(4096))
  await openJournal(context, directory)
  assert.equal((await stat(file)).size, whole)
})

test('damage before the end is told, and nothing is cut', async (context) => {
  const directory = await temporaryDirectory(context)
  const first = await RequestJournal.open(directory, { maxBytes: 1 })
  for (const key of ['a', 'b']) await first.remember('demo', [keyed(key, key, [])])
  await first.close()
  const [file = ''] = await segmentsOf(directory)
  const { size } = await stat(file)
  await truncate(file, size - 1)
  const told = { code: 'data_loss', reason: 'journal_damaged', message: /segment 0000000001, at byte 0/ }
  await assert.rejects(RequestJournal.open(directory), told)
  assert.equal((await stat(file)).size, size - 1)
})

test('a record that is whole and means nothing is damage, too', async (context) => {
  const directory = await temporaryDirectory(context)
  const segments = await JournalSegments.open(
    directory,
    { maxBytes: 1e6, maxAgeMs: hourMs, keepMs: hourMs, now: Date.now, steps: new StoreSteps() },
    () => undefined
  )
  await segments.append(['{"repository":'])
  await segments.close()
  await assert.rejects(RequestJournal.open(directory), { reason: 'journal_damaged', message: /0000000001, at byte 0/ })
})

test('a key whose record is damaged while the journal is open is not taken for a new one', async (context) => {
  const directory = await temporaryDirectory(context)
  const journal = await openJournal(context, directory)
  await journal.remember('demo', [keyed('key', 'first', [])])
  const [file = ''] = await segmentsOf(directory)
  const sound = await readFile(file)
  const last = sound.length - 1
  const damages = [
    Buffer.from(sound.with(last, (sound[last] as number) ^ 1)),
    // A length that leads past the end.
    Buffer.concat([Buffer.of(0x7f), sound.subarray(1)])
  ]
  for (const bytes of damages) {
    await writeFile(file, bytes)
    await assert.rejects(outcomeOf(journal, 'key'), { code: 'data_loss', reason: 'journal_damaged', retryable: false })
  }
  await writeFile(file, sound)
  assert.equal(await outcomeOf(journal, 'key'), 'first')
})

test('keys are remembered for a day, and segments removed when all of their keys have expired', async (context) => {
  const directory = await temporaryDirectory(context)
  let now = 1_000 * hourMs
  const journal = await openJournal(context, directory, { now: () => now })
  assert.equal(journal.seconds, 86_400)
  for (const key of ['0', '1', '2']) {
    await journal.remember('demo', [keyed(key, key, [])])
    now += hourMs
  }
  assert.equal((await segmentsOf(directory)).length, 3)
  now += 21 * hourMs
  await journal.remember('demo', [keyed('day', 'day', [])])
  assert.equal(await outcomeOf(journal, '0'), '0', 'a day old to the second')
  now += hourMs + 1
  await journal.remember('demo', [keyed('later', 'later', [])])
  const outcomes = await Promise.all(['0', '1', '2', 'day', 'later'].map((key) => outcomeOf(journal, key)))
  assert.deepEqual(outcomes, [undefined, undefined, '2', 'day', 'later'])
  assert.equal((await segmentsOf(directory)).length, 3)
  now += 100 * hourMs
  await journal.close()
  const next = await openJournal(context, directory, { now: () => now })
  assert.equal((await segmentsOf(directory)).length, 1)
  assert.equal(next.size().keys, 1)
})

test('concurrent writes share a sync, and a key takes less than 50 bytes of memory', async (context) => {
  const directory = await temporaryDirectory(context)
  const journal = await openJournal(context, directory)
  const handle = await open(directory)
  const mocked = context.mock.method(Object.getPrototypeOf(handle), 'datasync')
  await handle.close()
  const keys = Array.from({ length: 5_000 }, (_, index) => `key-${index}`)
  await Promise.all(keys.map((key) => journal.remember('demo', [keyed(key, key, [])])))
  assert.ok(mocked.mock.callCount() <= 2, `${mocked.mock.callCount()} syncs`)
  const size = journal.size()
  assert.equal(size.keys, keys.length)
  assert.ok(size.memory / size.keys < 50, `${size.memory / size.keys} bytes`)
  for (const key of ['key-0', 'key-2500', 'key-4999']) assert.equal(await outcomeOf(journal, key), key)
})

test('a write that fails is not remembered, and the next one is', async (context) => {
  const directory = await temporaryDirectory(context)
  const journal = await openJournal(context, directory)
  await journal.remember('demo', [keyed('before', 'before', [])])
  const handle = await open(directory)
  context.mock.method(
    Object.getPrototypeOf(handle),
    'datasync',
    async () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    },
    { times: 1 }
  )
  await handle.close()
  const failure = { code: 'unavailable', reason: 'storage', message: /ENOSPC/ }
  await assert.rejects(journal.remember('demo', [keyed('failed', 'failed', [])]), failure)
  const [file = ''] = await segmentsOf(directory)
  assert.ok(!(await readFile(file, 'latin1')).includes('failed'))
  await journal.remember('demo', [keyed('after', 'after', [])])
  await journal.close()
  const again = await openJournal(context, directory)
  const outcomes = await Promise.all(['before', 'failed', 'after'].map((key) => outcomeOf(again, key)))
  assert.deepEqual(outcomes, ['before', undefined, 'after'])
})

test('a write that comes while another one fails is written', { timeout: 10_000 }, async (context) => {
  const directory = await temporaryDirectory(context)
  const journal = await openJournal(context, directory)
  const handle = await open(directory)
  let second: Promise<void> | undefined
  const fail = async () => {
    second = journal.remember('demo', [keyed('second', 'second', [])])
    throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  context.mock.method(Object.getPrototypeOf(handle), 'datasync', fail, { times: 1 })
  await handle.close()
  await assert.rejects(journal.remember('demo', [keyed('first', 'first', [])]), { reason: 'storage' })
  await second
  assert.deepEqual([await outcomeOf(journal, 'first'), await outcomeOf(journal, 'second')], [undefined, 'second'])
})

test('a failed write that cannot be taken back is the last one', async (context) => {
  const directory = await temporaryDirectory(context)
  const journal = await openJournal(context, directory)
  await journal.remember('demo', [keyed('before', 'before', [])])
  const handle = await open(directory)
  const fail = async () => {
    throw Object.assign(new Error('gone'), { code: 'EIO' })
  }
  const prototype = Object.getPrototypeOf(handle)
  const failing = [context.mock.method(prototype, 'datasync', fail), context.mock.method(prototype, 'truncate', fail)]
  await handle.close()
  const failure = { code: 'unavailable', reason: 'storage', message: /EIO/ }
  await assert.rejects(journal.remember('demo', [keyed('failed', 'failed', [])]), failure)
  for (const { mock } of failing) mock.restore()
  // Nobody knows where its bytes end: a record behind them might never be found again.
  await assert.rejects(journal.remember('demo', [keyed('after', 'after', [])]), failure)
})
