/** What the store needs of a database: statements by kind, so that none waits behind another kind's sync to disk. */

/** One statement. */
export interface Statement {
  /** It is prepared under this name, once for each connection. */
  readonly name: string
  /** Parameters are `$1`, …; every array is cast, such as `$2::bytea[]`. */
  readonly text: string
  readonly values: readonly unknown[]
}

/** A row by the names of its columns. `bigint` comes as text. */
export type Row = Readonly<Record<string, unknown>>

/** The statements of one transaction. Those that are sent without waiting for the one before go in one round trip. */
export interface Transaction {
  query<R extends object = Row>(statement: Statement): Promise<R[]>
}

/**
 * A database of several URLs. Statements may be carried out twice where a connection is lost: each has to be such that
 * this does no harm. Every method throws `unavailable` where no URL answers for long, `resource_exhausted` where the disk
 * is full, and `internal` for a statement that the database cannot carry out; `cause` is the error of the database.
 */
export interface Database {
  /**
   * Connections that were lost so far. The server that answers afterwards may lack the last writes of the one before:
   * what is known from before is no longer certain.
   */
  readonly losses: number
  /** Reads, on connections for reads, pipelined with those of others. */
  read<R extends object = Row>(statement: Statement): Promise<R[]>
  /** A statement that writes, atomic by itself, on connections for writes, pipelined with those of others. */
  write<R extends object = Row>(statement: Statement): Promise<R[]>
  /**
   * A transaction that is sent as a whole, in one round trip, behind others of its kind: its statements depend on each
   * other in SQL, never on an answer. It is committed, or an error of any statement takes it back.
   *
   * @param statements a function is called before each try, when there is a connection for it
   * @param large those of them that count for the memory of calls that wait for a connection
   * @returns the rows of each statement
   */
  whole(statements: readonly Statement[] | (() => readonly Statement[]), large?: readonly Statement[]): Promise<Row[][]>
  /**
   * A transaction on a connection of its own. It is committed when `work` resolves; an error of `work` takes it back. Where
   * transactions collide (40001, 40P01) it is tried again, a few times. `begin` and the first statements of `work` go in
   * one round trip, and so do its last ones and `commit` where `work` does not wait for them: their errors are told all
   * the same.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T> | T): Promise<T>
  close(): Promise<void>
}
