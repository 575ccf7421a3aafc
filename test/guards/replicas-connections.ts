/** Guards of the connections to a database. */
import type { Guard } from './guard.ts'

const directory = 'server-fixture/store/postgres/database'
const database = ['test/store/postgres/database.test.ts']
const connections = ['test/store/postgres/connections.test.ts']
const urls = ['test/store/postgres/database-urls.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'database: a transaction whose connection the database has ended is tried again',
    file: `${directory}/database-failure.ts`,
    from: "'25P03': 'unreachable',",
    to: '',
    tests: database
  },
  {
    name: 'database: transactions of a server that has gone give their locks away before others give up waiting',
    file: `${directory}/session.ts`,
    from: 'idle_in_transaction_session_timeout: String(idleTransactionTimeoutMs)',
    to: 'idle_in_transaction_session_timeout: String(statementTimeoutMs)',
    tests: database
  },
  {
    name: 'database: an error of a statement is told as such, and does not count as a lost connection',
    file: `${directory}/connection.ts`,
    from: 'else reject(isDatabaseError(error) || this.#isOpen ? error : this.#lost(error))',
    to: 'else reject(this.#lost(error))',
    tests: database
  },
  {
    name: 'database: a whole transaction fails with its first failure',
    file: `${directory}/transactions.ts`,
    from: 'this.failure ??= { error }',
    to: 'this.failure = { error }',
    tests: database
  },
  {
    name: 'database: a transaction whose work does not wait for its statements fails with them',
    file: `${directory}/transactions.ts`,
    from: 'if (this.failure) throw this.failure.error',
    to: '',
    tests: database
  },
  {
    name: 'database: transactions that deadlock are tried again',
    file: `${directory}/database-failure.ts`,
    from: "'40P01': 'collision'",
    to: "'40P01': 'refused'",
    tests: database
  },
  {
    name: 'database: a prepared statement that a migration made stale is prepared again',
    file: `${directory}/database-failure.ts`,
    from: "return 'stale'",
    to: "return 'refused'",
    tests: database
  },
  {
    name: 'database: a connection with a stale statement is used no more',
    file: `${directory}/pipelined-database.ts`,
    from: "if (kind === 'stale')",
    to: 'if (false)',
    tests: database
  },
  {
    name: 'database: transactions have a connection for themselves',
    file: `${directory}/pipelined-database.ts`,
    from: "isExclusive: kind === 'transaction'",
    to: 'isExclusive: false',
    tests: database
  },
  {
    name: 'database: a network that went silent is noticed',
    file: `${directory}/silence.ts`,
    from: 'void this.#ask(connection.endpoint)',
    to: 'undefined',
    tests: connections
  },
  {
    name: 'database: a statement that takes long keeps its connection where the server can be reached',
    file: `${directory}/silence.ts`,
    from: 'await this.#options.endpoints.probe(endpoint)',
    to: "throw new LostConnection('', new Error(''))",
    tests: connections
  },
  {
    name: 'database: a statement on a connection that was lost is tried once more',
    file: `${directory}/retries.ts`,
    from: 'unreachable: { times: 1, waitMs: 50 }',
    to: 'unreachable: { times: 0, waitMs: 50 }',
    tests: connections
  },
  {
    name: 'database: calls that are held are bounded in number',
    file: `${directory}/held-calls.ts`,
    from: 'this.calls >= this.#bounds.calls',
    to: 'false',
    tests: connections
  },
  {
    name: 'database: calls that are held are bounded in bytes',
    file: `${directory}/held-calls.ts`,
    from: 'this.bytes + bytes > this.#bounds.bytes',
    to: 'false',
    tests: connections
  },
  {
    name: 'database: a demoted primary is left by reads, too',
    file: `${directory}/pipelined-database.ts`,
    from: 'for (const channel of Object.values(this.#channels)) channel.retireAll(connection.endpoint)',
    to: 'this.#channels.write.retireAll(connection.endpoint)',
    tests: connections
  },
  {
    name: 'database: a commit that did not reach its standby is not acknowledged',
    file: `${directory}/connection.ts`,
    from: 'if (this.#distrust) reject(this.#lost(this.#distrust))\n        else if',
    to: 'if',
    tests: connections
  },
  {
    name: 'database: one without fsync is refused',
    file: `${directory}/session.ts`,
    from: "if (fsync === 'off')",
    to: 'if (false)',
    tests: connections
  },
  {
    name: 'database: a standby is refused',
    file: `${directory}/session.ts`,
    from: "if (readOnly === 'on')",
    to: 'if (false)',
    tests: connections
  },
  {
    name: 'database: the password of the URL counts more than that of the file',
    file: `${directory}/database-url.ts`,
    from: "url.password === '' ? password : decodeURIComponent(url.password)",
    to: 'password ?? decodeURIComponent(url.password)',
    tests: urls
  },
  {
    name: 'database: verify-full judges the name in the certificate',
    file: `${directory}/database-url.ts`,
    from: "if (mode === 'verify-full') return files",
    to: '',
    tests: urls
  },
  {
    name: 'database: who is not let in is told what helps, at once',
    file: `${directory}/connection.ts`,
    from: 'if (refusal) throw refusal',
    to: '',
    tests: ['test/store/postgres-schema.test.ts', 'test/store/postgres/embedded.test.ts']
  },
  {
    name: 'database: a password that is missing is no lost connection',
    file: `${directory}/session.ts`,
    from: 'if (noPassword.test(message))',
    to: 'if (false)',
    tests: ['test/store/postgres/embedded.test.ts']
  },
  {
    name: 'database: a user without the right to make tables is told so',
    file: 'server-fixture/store/postgres/schema/schema.ts',
    from: "cause.code === '42501') throw noRight(cause)",
    to: "cause.code === '42501') throw error",
    tests: ['test/store/postgres-schema.test.ts']
  },
  {
    name: 'server: a database is not silently left unused by another store',
    file: 'server-fixture/database-options.ts',
    from: "if (database !== undefined && store !== 'postgres')",
    to: 'if (false)',
    tests: ['test/server/process.test.ts']
  },
  {
    name: 'database: a start at a standby alone may be tried again',
    file: `${directory}/pipelined-database.ts`,
    from: 'throw startError(',
    to: 'throw storeError(',
    tests: connections
  }
]
