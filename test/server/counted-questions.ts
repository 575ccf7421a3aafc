/** A store whose questions are counted: how many of them followed each other. */
import type { Store } from '../../server-fixture/store/store.ts'

/** What a service asks to know whether there is a repository: stores answer at once while they know it. */
const atOnce = 'getRepository'

export interface CountedStore {
  readonly store: Store
  /** The questions of this work that waited for each other: the names of those of each round. */
  during(work: () => Promise<unknown>): Promise<string[]>
}

export function countQuestions(store: Store): CountedStore {
  let rounds: string[][] = []
  /** The rounds of which a question has been answered. */
  let answered = 0
  // An answer takes a turn of the event loop, as over a network: questions of one moment are one round.
  const answer = async (result: unknown, round: number) => {
    try {
      return await result
    } finally {
      await new Promise(setImmediate)
      answered = Math.max(answered, round + 1)
    }
  }
  const counted = (name: string, method: (...values: unknown[]) => unknown) => {
    return (...values: unknown[]): unknown => {
      const round = answered
      const result = method.apply(store, values)
      if (name === atOnce && !(result instanceof Promise)) return result
      rounds[round] ??= []
      rounds[round]?.push(name)
      return answer(result, round)
    }
  }
  const proxy = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? counted(String(key), value as never) : value
    }
  })
  const during = async (work: () => Promise<unknown>) => {
    rounds = []
    answered = 0
    await work()
    return rounds.map((names) => names.join(' and '))
  }
  return { store: proxy, during }
}
