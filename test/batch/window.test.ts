/** How many frames may be in flight. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameWindow } from '../../src/batch/frame-window.ts'

function after(roundTrips: readonly number[], maxFrames = 64): FrameWindow {
  const window = new FrameWindow({ framesInFlight: maxFrames })
  for (const roundTripMs of roundTrips) {
    window.inFlight++
    window.answered(roundTripMs)
  }
  return window
}

const times = (count: number, ms: number) => Array.from({ length: count }, () => ms)

const cases: readonly [string, readonly number[], number, number][] = [
  ['before the first answer: two', [], 64, 2],
  ['no round trip to speak of: two', [0], 64, 2],
  ['half a millisecond: two', [0.5], 64, 2],
  ['20 ms: one for each', [20], 64, 20],
  ['19.2 ms: rounded up', [19.2], 64, 20],
  ['100 ms: as many as are allowed', [100], 64, 64],
  ['one is allowed: one', [100], 1, 1],
  ['the shortest counts, because the others have waited', [20, 90, 300], 64, 20],
  ['a path that has become slower is noticed', [1, ...times(64, 30)], 64, 30],
  ['not before the short one is forgotten', [1, ...times(40, 30)], 64, 2],
  ['a path that has become faster is noticed at once', [...times(100, 50), 3], 64, 3]
]

for (const [name, roundTrips, maxFrames, size] of cases) {
  test(name, () => assert.equal(after(roundTrips, maxFrames).size, size))
}

test('there is room until as many are in flight, and again after an answer or a loss', () => {
  const window = after([])
  window.inFlight++
  assert.equal(window.hasRoom, true)
  window.inFlight++
  assert.deepEqual([window.hasRoom, window.inFlight], [false, 2])
  window.inFlight--
  assert.deepEqual([window.hasRoom, window.inFlight, window.roundTripMs], [true, 1, undefined])
  window.answered(7)
  assert.deepEqual([window.inFlight, window.roundTripMs], [0, 7])
})
