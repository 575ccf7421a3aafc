/** Transactions on a connection. */
import type { Answer, Connection } from './connection.ts'
import type { Row, Statement, Transaction } from './database.ts'
import { failureKind } from './database-failure.ts'

const plain = (text: string): Statement => ({ name: '', text, values: [] })
const begin = plain('BEGIN')
const commit = plain('COMMIT')
const rollback = plain('ROLLBACK')

/** Statements that were sent, and the first of their failures, which is the one that took back the transaction. */
class Sent {
  readonly #connection: Connection
  #answers: Promise<unknown>[] = []
  failure: { readonly error: unknown } | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  ask<R extends object = Row>(statement: Statement): Promise<Answer<R>> {
    const answer = this.#connection.ask<R>(statement)
    this.#answers.push(
      answer.catch((error) => {
        this.failure ??= { error }
      })
    )
    return answer
  }

  async answered(): Promise<void> {
    await Promise.all(this.#answers)
  }

  /** Commits. A transaction that failed is taken back by the same statement. @throws the failure */
  async commit(): Promise<void> {
    const answer = this.ask(commit)
    await this.answered()
    if (this.failure) throw this.failure.error
    const { command } = await answer
    if (command !== 'COMMIT') throw new Error(`the database answered COMMIT with ${command}`)
  }
}

/**
 * Sends a transaction as a whole. Others may be sent on the same connection, as wholes as well.
 *
 * @returns the rows of each statement
 * @throws the first failure; nothing was carried out, or the connection was lost and nobody knows
 */
export async function sendWhole(connection: Connection, statements: readonly Statement[]): Promise<Row[][]> {
  const sent = new Sent(connection)
  void sent.ask(begin)
  const answers = statements.map((statement) => sent.ask(statement))
  await sent.commit()
  return Promise.all(answers.map(async (answer) => (await answer).rows))
}

/**
 * Carries out a transaction whose later statements may depend on the answers of earlier ones, on a connection that
 * nobody else uses meanwhile.
 *
 * @throws the error of `work`, or the first failure where another attempt may help
 */
export async function carryOut<T>(
  connection: Connection,
  work: (transaction: Transaction) => Promise<T> | T
): Promise<T> {
  const sent = new Sent(connection)
  let isOver = false
  void sent.ask(begin)
  try {
    const result = await work({
      query<R extends object = Row>(statement: Statement) {
        if (isOver) return Promise.reject(new Error('the transaction is over'))
        const rows = sent.ask<R>(statement).then((answer) => answer.rows)
        // Whoever does not wait for it is told by the commit.
        rows.catch(() => undefined)
        return rows
      }
    })
    isOver = true
    await sent.commit()
    return result
  } catch (error) {
    if (isOver) throw error
    isOver = true
    void sent.ask(rollback)
    await sent.answered()
    const { failure } = sent
    throw failure && failureKind(failure.error) !== 'refused' ? failure.error : error
  }
}
