import assert from 'node:assert/strict'
import { test } from 'node:test'
import { later, settlesAtOnce, settlesWithin, until } from './until.ts'

test('the order of timers is judged, although the process stands still for longer than both', async () => {
  const early = settlesWithin(later(10), 20)
  const late = settlesWithin(later(20), 10)
  const endsAt = performance.now() + 50
  while (performance.now() < endsAt);
  await early
  await assert.rejects(late, /before a timer of 10 ms/)
})

test('work that waits for a timer is not settled at once; microtasks are', async () => {
  assert.equal(await settlesAtOnce(Promise.resolve().then(() => 1)), 1)
  await assert.rejects(settlesAtOnce(new Promise(() => undefined)), /not settled at once/)
})

test('a state that is reached ends the wait', async () => {
  let count = 0
  await until(() => ++count === 3, 'three looks')
  assert.equal(count, 3)
})
