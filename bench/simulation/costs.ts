/**
 * What the simulation knows of servers and databases: processor time, syncs and round trips, in microseconds. Measured by
 * `npm run simulate -- --measure` on two cores of an AMD EPYC.
 */

export interface Costs {
  /** Of a server's processor, for each call, with the share of its frames and of its statements. */
  readonly server: { readonly read: number; readonly put: number; readonly commit: number }
  readonly database: {
    /** Of the database's processor, for a statement or a transaction of several, however many rows it has. */
    readonly read: number
    readonly put: number
    readonly commit: number
    /** For each row, or for each commit: its objects, its move, its key and its event. */
    readonly readRow: number
    readonly putRow: number
    readonly commitRow: number
  }
  /** A sync of the write-ahead log; with a synchronous standby, with the way to it. */
  readonly syncUs: number
  /** Between server and database. */
  readonly roundTripUs: number
}

export const measured: Costs = {
  server: { read: 16, put: 11, commit: 217 },
  database: { read: 83, put: 154, commit: 604, readRow: 3.7, putRow: 6.4, commitRow: 60 },
  syncUs: 187,
  roundTripUs: 300
}
