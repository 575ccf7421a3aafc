/** Large messages take turns: the event loop serves others between them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeTurns } from '../../server-fixture/decode-turns.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'

const large = new Uint8Array(64 * 1024)
const small = new Uint8Array(10)
const type = 'GetRepositoryRequest'

/** Turns in which each message takes so many milliseconds, and the order of what happens. */
function turnsOf(messageMs: number) {
  let now = 0
  const events: string[] = []
  const turns = new DecodeTurns(() => now)
  const take = (name: string, bytes = large) =>
    turns.decode(
      (_type: MessageName) => {
        now += messageMs
        events.push(name)
        if (name === 'bad') throw new Error('damaged')
        return { repository: name }
      },
      type,
      bytes
    )
  /** Each turn of the event loop is an event, too. */
  const watch = (count: number) => {
    if (count > 0) setImmediate(() => watch(count - 1))
    events.push('turn')
  }
  return { events, take, watch }
}

test('a large message is decoded at once; those after it wait in order, and others have turns before each', async () => {
  const { events, take, watch } = turnsOf(20)
  const taken = ['a', 'b', 'c', 'd'].map((name) => take(name))
  assert.deepEqual(taken[0], { repository: 'a' })
  watch(30)
  assert.deepEqual(await Promise.all(taken), [
    { repository: 'a' },
    { repository: 'b' },
    { repository: 'c' },
    { repository: 'd' }
  ])
  const turns = ['turn', 'turn', 'turn', 'turn', 'turn']
  assert.deepEqual(events, ['a', ...turns, 'b', ...turns, 'c', ...turns, 'd'])
})

test('large messages that are quickly decoded share a turn', async () => {
  const { events, take, watch } = turnsOf(4)
  const taken = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => take(name))
  assert.equal(taken.filter((message) => message instanceof Promise).length, 4)
  watch(30)
  await Promise.all(taken)
  const turns = ['turn', 'turn', 'turn', 'turn', 'turn']
  assert.deepEqual(events, ['a', 'b', 'c', ...turns, 'd', 'e', 'f', ...turns, 'g'])
})

test('small messages never wait', async () => {
  const { take } = turnsOf(20)
  const waits = [take('a'), take('b')][1]
  assert.ok(waits instanceof Promise)
  assert.deepEqual(take('c', small), { repository: 'c' })
  await waits
})

test('an error is that of its message, at once or later, and the next one has its turn', async () => {
  const { take } = turnsOf(20)
  assert.throws(() => take('bad'), /damaged/)
  const [bad, good] = [take('bad'), take('good')]
  await assert.rejects(Promise.resolve(bad), /damaged/)
  assert.deepEqual(await good, { repository: 'good' })
  // Once others have had their turns, the next one is decoded at once again.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(take('late'), { repository: 'late' })
})
