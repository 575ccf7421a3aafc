/** Questions to a store or a database are counted: how many of them followed each other. */
import type { TestContext } from 'node:test'
import { PipelinedDatabase } from '../../server-fixture/store/postgres/database/pipelined-database.ts'
import type { Store } from '../../server-fixture/store/store.ts'

/** What a service asks to know whether there is a repository: stores answer at once while they know it. */
const atOnce = 'getRepository'

/** Any method. */
type Method = (...values: unknown[]) => unknown

export class Questions {
  #count = newCount()

  /** The questions of this work that waited for each other: the names of those of each round. */
  async during(work: () => Promise<unknown>): Promise<string[]> {
    const count = newCount()
    this.#count = count
    await work()
    return count.rounds.map((names) => names.join(' and '))
  }

  /** The answer to a question, which takes a turn of the event loop, as over a network: those of one moment are one round. */
  async ask<Answer>(name: string, question: () => Answer): Promise<Awaited<Answer>> {
    const count = this.#count
    const round = count.answered
    count.rounds[round] ??= []
    count.rounds[round]?.push(name)
    try {
      return await question()
    } finally {
      await new Promise(setImmediate)
      count.answered = Math.max(count.answered, round + 1)
    }
  }
}

interface Count {
  readonly rounds: string[][]
  /** The rounds of which a question has been answered. */
  answered: number
}

const newCount = (): Count => ({ rounds: [], answered: 0 })

/** The same store, whose questions are counted. */
export function countedStore(store: Store, questions: Questions): Store {
  const counted = (name: string, method: Method): Method => {
    if (name !== atOnce) return (...values) => questions.ask(name, () => method.apply(store, values))
    return (...values) => {
      const result = method.apply(store, values)
      return result instanceof Promise ? questions.ask(name, () => result) : result
    }
  }
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? counted(String(key), value as Method) : value
    }
  })
}

/** A store with the count of its questions. */
export function countQuestions(store: Store) {
  const questions = new Questions()
  return { store: countedStore(store, questions), during: (work: () => Promise<unknown>) => questions.during(work) }
}

/** Counts the statements of all databases while the test runs. Of a transaction, `begin` and `commit` count for nothing. */
export function countStatements({ mock }: Pick<TestContext, 'mock'>, questions: Questions): void {
  for (const kind of ['read', 'write', 'whole'] as const) {
    const real = PipelinedDatabase.prototype[kind] as Method
    mock.method(PipelinedDatabase.prototype, kind, function (this: PipelinedDatabase, ...values: unknown[]) {
      const [statement] = values as { name?: string }[]
      return questions.ask(`${kind} ${statement?.name ?? ''}`.trim(), () => real.apply(this, values))
    })
  }
  const real = PipelinedDatabase.prototype.transaction as Method
  mock.method(PipelinedDatabase.prototype, 'transaction', function (this: PipelinedDatabase, work: Method) {
    const counting = (transaction: { query(statement: { name: string }): unknown }) =>
      work({
        query: (statement: { name: string }) => questions.ask(statement.name, () => transaction.query(statement))
      })
    return real.call(this, counting)
  })
}
