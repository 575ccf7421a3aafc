/** Callers that take turns by a ref that they create where it is absent, all at one oid, and delete. */
import { setTimeout as sleep } from 'node:timers/promises'
import { move, type Parts, read } from './contenders.ts'

/** The values of the register. */
export const free = 'free'
export const held = 'held'

/** The lock that callers contend for. */
export class Lock {
  readonly name = 'refs/locks/x'
  /** All callers create the ref at this oid, so that it does not tell them apart. */
  readonly oid: string
  /** Turns that somebody had. */
  turns = 0
  /** Who thinks that the lock is his. */
  readonly holders = new Set<string>()

  constructor(oid: string) {
    this.oid = oid
  }
}

/** Takes the lock, holds it and gives it back, over and over. */
export async function takeTurns(parts: Parts, lock: Lock): Promise<void> {
  const { name, record, random } = parts
  const { oid } = lock
  const swap = (expectedOid: string | null, newOid: string | null, key: string) =>
    move(parts, {
      kind: 'swap',
      expected: expectedOid === null ? free : held,
      value: newOid === null ? free : held,
      key,
      ask: async (repository, options) => {
        await repository.updateRefs([{ name: lock.name, expectedOid, newOid }], options)
      },
      found: (error) => {
        if (!error.is('ref_mismatch')) return undefined
        return /^0+$/.test(error.details.refMismatches[0]?.foundOid ?? '') ? free : held
      }
    })
  for (let turn = 0; !record.stopped; turn++) {
    if (random(4) === 0) {
      await read(parts, async () => {
        const { refs } = await parts.repository.listRefs({ prefix: lock.name })
        return refs[0] ? held : free
      })
    }
    const taken = await swap(null, oid, `${name.replaceAll(' ', '-')}-take-${turn}`)
    if (taken?.is !== 'done') {
      await sleep(1 + random(20))
      continue
    }
    if (lock.holders.size > 0) record.failures.push(new Error(`${name} and ${[...lock.holders]} hold the lock`))
    lock.holders.add(name)
    lock.turns++
    await sleep(random(5))
    lock.holders.delete(name)
    const given = await swap(oid, null, `${name.replaceAll(' ', '-')}-give-${turn}`)
    if (given?.is !== 'done') record.failures.push(new Error(`${name} held the lock, and could not give it back`))
  }
}
