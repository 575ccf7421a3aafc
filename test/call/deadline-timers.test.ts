import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadlineTimers, type Timed } from '../../src/call/deadline-timers.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { randomNumbers } from '../support/random.ts'

class Item implements Timed {
  readonly endsAt: number
  readonly durationMs: number
  readonly timers: DeadlineTimers
  readonly clock: FakeClock
  previous: Timed | undefined
  next: Timed | undefined
  firedAt: number | undefined

  constructor(timers: DeadlineTimers, clock: FakeClock, durationMs: number) {
    this.timers = timers
    this.clock = clock
    this.durationMs = durationMs
    this.endsAt = clock.now() + durationMs
    timers.add(this, durationMs)
  }

  remove(): void {
    this.timers.remove(this, this.durationMs)
  }

  onTime(): void {
    assert.equal(this.firedAt, undefined, 'once')
    this.firedAt = this.clock.now()
    this.remove()
  }
}

function made() {
  const clock = new FakeClock()
  const timers = new DeadlineTimers(clock)
  return { clock, timers, add: (durationMs: number) => new Item(timers, clock, durationMs) }
}

test('one timer for each duration, shared by all calls', () => {
  const { clock, add } = made()
  for (let index = 0; index < 1000; index++) add(index % 2 ? 100 : 30_000)
  assert.equal(clock.pending, 2)
})

test('each is due at its own time', () => {
  const { clock, add } = made()
  const first = add(100)
  clock.advance(40)
  const second = add(100)
  const short = add(10)
  clock.advance(1000)
  assert.deepEqual([first.firedAt, second.firedAt, short.firedAt], [1100, 1140, 1050])
  assert.equal(clock.pending, 0)
})

test('a removed timer does not fire; removing the timer again changes nothing', () => {
  const { clock, timers, add } = made()
  const items = Array.from({ length: 5 }, () => add(100))
  for (const index of [0, 2, 4, 2, 0]) items[index]?.remove()
  assert.equal(timers.all().length, 2)
  clock.advance(100)
  assert.deepEqual(
    items.map(({ firedAt }) => firedAt),
    [undefined, 1100, undefined, 1100, undefined]
  )
})

test('10,000 random additions, removals and steps leave what an array would', () => {
  const { clock, timers, add } = made()
  const random = randomNumbers(5)
  const items: { item: Item; removed: boolean }[] = []
  for (let step = 0; step < 10_000; step++) {
    if (random(3) > 0) items.push({ item: add([5, 50, 500, 1 + random(200)][random(4)] as number), removed: false })
    else if (random(2) > 0 && items.length > 0) {
      const chosen = items[random(items.length)] as (typeof items)[0]
      if (chosen.item.firedAt === undefined) chosen.removed = true
      chosen.item.remove()
    } else clock.advance(random(20))
  }
  const waiting = items.filter(({ item, removed }) => !removed && item.endsAt > clock.now())
  assert.deepEqual(new Set(timers.all()), new Set(waiting.map(({ item }) => item)))
  clock.advance(1000)
  for (const { item, removed } of items) assert.equal(item.firedAt, removed ? undefined : item.endsAt)
  assert.deepEqual([timers.all().length, clock.pending], [0, 0])
})

test('durations that never come again do not pile up', () => {
  const { clock, add } = made()
  for (let index = 0; index < 10_000; index++) add(1000 + index).remove()
  assert.ok(clock.pending <= 65, `${clock.pending} timers`)
})

test('closing cancels all timers', () => {
  const { clock, timers, add } = made()
  const item = add(100)
  timers.close()
  assert.equal(clock.pending, 0)
  clock.advance(200)
  assert.equal(item.firedAt, undefined)
})
