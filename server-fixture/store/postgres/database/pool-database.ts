/** A database behind one URL, through the pool of `pg`. */
import pg from 'pg'
import type { Database, Row, Statement, Transaction } from './database.ts'

type Queryable = Pick<pg.Pool, 'query'>

async function rowsOf<R extends object>(on: Queryable, { name, text, values }: Statement): Promise<R[]> {
  const { rows } = await on.query({ name, text, values: [...values] })
  return rows as R[]
}

export class PoolDatabase implements Database {
  readonly #pool: pg.Pool

  constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: 6 })
    this.#pool.on('error', () => undefined)
  }

  read<R extends object = Row>(statement: Statement): Promise<R[]> {
    return rowsOf<R>(this.#pool, statement)
  }

  write<R extends object = Row>(statement: Statement): Promise<R[]> {
    return rowsOf<R>(this.#pool, statement)
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T> | T): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work({ query: (statement) => rowsOf(client as unknown as Queryable, statement) })
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      throw error
    } finally {
      client.release()
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
