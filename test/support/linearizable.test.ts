/** The checker itself, against histories written by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLinearizable, type Operation, type Swap } from './linearizable.ts'
import { randomNumbers } from './random.ts'
import { startCpuClock } from './until.ts'

type When = readonly [start: number, end: number]

const read = ([start, end]: When, found: string): Operation => ({ kind: 'read', writer: 'r', start, end, found })
const swapped =
  (kind: 'swap' | 'commit') =>
  ([start, end]: When, expected: string, value: string, outcome: Swap['outcome'] = { is: 'done' }): Operation => ({
    kind,
    writer: 'w',
    start,
    end,
    expected,
    value,
    outcome
  })
const swap = swapped('swap')
const commit = swapped('commit')
const refused = (found: string, attempts = 1) => ({ is: 'refused', found, attempts }) as const
const unknown = { is: 'unknown' } as const
const never = { is: 'never' } as const

const legal: Record<string, readonly Operation[]> = {
  'nothing at all': [],
  'one after the other': [read([1, 2], '0'), swap([3, 4], '0', 'a'), read([5, 6], 'a'), commit([7, 8], 'a', 'b')],
  'a read beside a swap sees either value': [
    swap([1, 10], '0', 'a'),
    read([2, 3], '0'),
    read([4, 5], 'a'),
    read([6, 7], 'a')
  ],
  'of two swaps at once one is refused by the other': [swap([1, 10], '0', 'a'), swap([2, 9], '0', 'b', refused('a'))],
  'without an answer, and it happened': [swap([1, 2], '0', 'a', unknown), read([3, 4], 'a')],
  'without an answer, and it never happened': [swap([1, 2], '0', 'a', unknown), swap([3, 4], '0', 'b')],
  'without an answer, and it happens much later': [
    swap([1, 2], '0', 'a', unknown),
    read([3, 4], '0'),
    read([5, 6], '0'),
    read([7, 8], 'a'),
    swap([9, 10], 'a', 'b')
  ],
  'without an answer, one on top of the other': [
    swap([1, 2], '0', 'a', unknown),
    swap([3, 4], 'a', 'b', unknown),
    read([5, 6], 'b')
  ],
  'a value that comes back': [
    swap([1, 2], '0', 'a'),
    swap([3, 4], 'a', '0'),
    swap([5, 6], '0', 'a', unknown),
    read([7, 8], '0'),
    read([9, 10], 'a')
  ],
  'a lock that two have by turns, at one oid': [
    swap([1, 2], '0', 'held'),
    swap([3, 4], 'held', '0'),
    swap([4, 6], '0', 'held', refused('held')),
    swap([5, 8], '0', 'held')
  ],
  'refused where it is already where it was to go': [
    swap([1, 10], '0', 'a'),
    swap([2, 9], '0', 'a', refused('a')),
    read([11, 12], 'a')
  ],
  'one that never left': [swap([1, 2], '0', 'a', never), read([3, 4], '0')]
}

const illegal: Record<string, readonly Operation[]> = {
  'a stale read': [swap([1, 2], '0', 'a'), read([3, 4], '0')],
  'a read that goes back, beside the swap': [swap([1, 10], '0', 'a'), read([2, 3], 'a'), read([4, 5], '0')],
  'a read from the future': [read([1, 2], 'a'), swap([3, 4], '0', 'a')],
  'a value that nobody wrote': [read([1, 2], 'z')],
  'a lost update': [swap([1, 2], '0', 'a'), swap([3, 4], '0', 'b'), read([5, 6], 'b')],
  'two winners of one compare-and-swap': [swap([1, 10], '0', 'a'), swap([2, 9], '0', 'b')],
  'two winners, one of them a commit': [commit([1, 10], '0', 'a'), swap([2, 9], '0', 'b')],
  'an acknowledged write that a kill takes back': [
    read([1, 2], '0'),
    swap([3, 4], '0', 'a'),
    swap([5, 6], 'a', 'b', unknown),
    read([7, 8], '0')
  ],
  'a write without an answer that was seen, and is gone again': [
    swap([1, 2], '0', 'a', unknown),
    read([3, 4], 'a'),
    read([5, 6], '0')
  ],
  'a write that was seen before its start': [read([1, 2], 'a'), swap([3, 4], '0', 'a', unknown)],
  'a write that never left, and happened': [swap([1, 2], '0', 'a', never), read([3, 4], 'a')],
  'refused where it was what was expected': [swap([1, 2], '0', 'a', refused('0'))],
  'refused where nobody else moved it': [swap([1, 2], '0', 'a', refused('a', 2)), read([3, 4], 'a')],
  'the same swap twice: one holder of a lock only': [swap([1, 10], '0', 'a'), swap([2, 9], '0', 'a')],
  '"already there" as success: two hold a lock, and each gives it back': [
    swap([1, 4], '0', 'held'),
    swap([2, 5], '0', 'held'),
    swap([6, 7], 'held', '0'),
    swap([8, 9], 'held', '0', refused('0'))
  ],
  '"already there" as success: two write one number of a counter, in one commit': [
    swap([1, 2], '0', '1'),
    commit([3, 6], '1', '2'),
    commit([4, 7], '1', '2'),
    read([8, 9], '2')
  ],
  'a lock that a late attempt takes again, for nobody': [
    swap([1, 2], '0', 'held'),
    swap([3, 4], 'held', '0'),
    swap([5, 6], '0', 'held', refused('held', 2))
  ],
  'refused by what went on from its own first attempt': [
    swap([1, 10], '0', 'a', refused('b', 2)),
    swap([5, 6], 'a', 'b')
  ],
  'an effect without an answer that happens twice': [
    swap([1, 2], '0', 'a', unknown),
    read([3, 4], 'a'),
    swap([5, 6], 'a', '0'),
    read([7, 8], 'a')
  ],
  'refused by a value of before': [swap([1, 2], '0', 'a'), swap([3, 4], 'a', 'b', refused('0'))],
  'refused, yet it happened with its only attempt': [
    swap([1, 10], '0', 'a', refused('b')),
    swap([5, 6], 'a', 'b'),
    read([11, 12], 'b')
  ],
  'refused, and it happens after the answer': [
    swap([1, 2], 'a', 'b', refused('0', 2)),
    swap([3, 4], '0', 'a'),
    read([5, 6], 'b')
  ],
  'a commit refused by what went on from itself': [commit([1, 10], '0', 'a', refused('b', 2)), swap([5, 6], 'a', 'b')],
  'the same swap again, after others went on from it': [
    swap([1, 2], '0', 'a'),
    swap([3, 4], 'a', 'b'),
    swap([5, 6], '0', 'a')
  ]
}

for (const [name, history] of Object.entries(legal)) {
  test(`accepted: ${name}`, () => {
    const verdict = checkLinearizable(history, '0')
    assert.ok(verdict.ok, JSON.stringify(verdict))
  })
}

for (const [name, history] of Object.entries(illegal)) {
  test(`rejected: ${name}`, () => {
    const verdict = checkLinearizable(history, '0')
    assert.ok(!verdict.ok, JSON.stringify(verdict))
    assert.ok(verdict.stuck.length > 0)
  })
}

test('the values in their order, with those that had no answer', () => {
  const history = [
    swap([1, 10], '0', 'a'),
    swap([2, 12], 'a', 'b'),
    swap([11, 12], 'b', 'c', unknown),
    swap([13, 14], 'c', 'd')
  ]
  assert.deepEqual(checkLinearizable(history, '0'), { ok: true, values: ['0', 'a', 'b', 'c', 'd'] })
})

test('10,000 operations of 8 writers take seconds at most, with a stale read at the end as well', () => {
  const history: Operation[] = []
  let value = '0'
  for (let turn = 0; turn < 1000; turn++) {
    const at = turn * 100
    const next = `${turn}`.padStart(5, 'v')
    history.push(swap([at, at + 50], value, next), swap([at + 1, at + 60], value, `${next}?`, unknown))
    for (let reader = 0; reader < 6; reader++) {
      history.push(read([at + 2 + reader, at + 40 + reader], reader % 2 ? value : next))
    }
    history.push(swap([at + 3, at + 49], value, `${next}!`, refused(next)), read([at + 60, at + 140], next))
    value = next
  }
  const cpuMs = startCpuClock()
  assert.ok(checkLinearizable(history, '0').ok)
  assert.ok(!checkLinearizable([...history, read([200_000, 200_001], '0')], '0').ok)
  assert.ok(cpuMs() < 5000, `${cpuMs()} ms`)
})

/** Operations to be put into an order; optional ones may be left out. */
interface Part {
  readonly start: number
  readonly end: number
  readonly optional: boolean
  readonly effect: (value: string) => string | undefined
}

/** The parts of an operation. */
function partsOf(operation: Operation): Part[] {
  const { start, end } = operation
  if (operation.kind === 'read') {
    return [{ start, end, optional: false, effect: (now) => (now === operation.found ? now : undefined) }]
  }
  const { expected, value, outcome } = operation
  const happens = (now: string) => (now === expected ? value : undefined)
  if (outcome.is === 'never') return []
  if (outcome.is === 'unknown') return [{ start, end: Number.POSITIVE_INFINITY, optional: true, effect: happens }]
  if (outcome.is === 'done') return [{ start, end, optional: false, effect: happens }]
  const refusal = (now: string) => (now === outcome.found && now !== expected ? now : undefined)
  return [{ start, end, optional: false, effect: refusal }]
}

/** The same question, answered by trying every order there is. */
function orderExists(parts: readonly Part[], value: string): boolean {
  if (parts.every(({ optional }) => optional)) return true
  return parts.some((part, place) => {
    if (parts.some(({ optional, end }) => !optional && end < part.start)) return false
    const after = part.effect(value)
    return after !== undefined && orderExists(parts.toSpliced(place, 1), after)
  })
}

test('20,000 small histories from a seed: the same verdict as by trying every order', () => {
  const random = randomNumbers(7)
  const values = ['0', 'a', 'b', 'c']
  const pick = (from: readonly string[]) => from[random(from.length)] as string
  const counts = { legal: 0, illegal: 0 }
  for (let round = 0; round < 20_000; round++) {
    const length = 2 + random(4)
    const times = Array.from({ length: 2 * length }, (_, index) => index)
    const history: Operation[] = []
    for (let left = length; left > 0; left--) {
      const start = times.shift() as number
      const [end] = times.splice(random(Math.min(4, times.length)), 1)
      const when = [start, end as number] as const
      const [expected, value] = [pick(values), pick(values)]
      const outcomes = [{ is: 'done' }, { is: 'done' }, refused(pick(values), 1 + random(2)), unknown, never] as const
      const outcome = outcomes[random(outcomes.length)] as Swap['outcome']
      if (random(3) === 0) history.push(read(when, pick(values)))
      else history.push((random(2) > 0 ? swap : commit)(when, expected, value, outcome))
    }
    const expected = orderExists(history.flatMap(partsOf), '0')
    assert.equal(checkLinearizable(history, '0').ok, expected, JSON.stringify(history))
    counts[expected ? 'legal' : 'illegal']++
  }
  assert.ok(counts.legal > 2000 && counts.illegal > 2000, JSON.stringify(counts))
})
