import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MoveQueue } from '../../server-fixture/store/gathering/move-queue.ts'

const moveOf = (name: string) => ({ name, expectedOid: '', newOid: '' })

test('calls that wait go together where their refs are disjoint, and in order of arrival for each ref', async () => {
  const groups: string[][] = []
  const queue = new MoveQueue(async (calls) => {
    groups.push(calls.map(({ moves }) => moves.map(({ name }) => name).join('+')))
    for (const { result } of calls) result.resolve([])
  })
  const calls = ['a', 'b', 'a+c', 'c', 'd', 'b+d', 'a'].map((refs) => queue.add(refs.split('+').map(moveOf), {}))
  await Promise.all(calls)
  // `c` waits behind `a+c`, and the last `a` too.
  assert.deepEqual(groups, [
    ['a', 'b', 'd'],
    ['a+c', 'b+d'],
    ['c', 'a']
  ])
})

test('a group is bounded, a single call is not', async () => {
  const sizes: number[] = []
  const queue = new MoveQueue(async (calls) => {
    sizes.push(calls.flatMap(({ moves }) => moves).length)
    for (const { result } of calls) result.resolve([])
  })
  const namesOf = (call: number, count: number) =>
    Array.from({ length: count }, (_, index) => moveOf(`${call}-${index}`))
  await Promise.all([5000, 600, 300, 300].map((count, call) => queue.add(namesOf(call, count), {})))
  assert.deepEqual(sizes, [5000, 900, 300])
})
