/** Guards of calls of several servers that meet between two statements of each other. */
import type { Guard } from './guard.ts'

const postgres = 'server-fixture/store/postgres'
const tests = ['test/store/postgres/races.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a transaction is made when there is a connection for it',
    file: `${postgres}/database/pipelined-database.ts`,
    from: "const connection = await this.#connection('whole', large)\n",
    to: "if (typeof given === 'function') given()\n      const connection = await this.#connection('whole', large)\n",
    tests: ['test/store/postgres/connections.test.ts']
  },
  {
    name: 'a move is made only for somebody who waits when it is sent',
    file: `${postgres}/moves/plain-moves.ts`,
    from: 'calls = calls.filter(isWanted)',
    to: 'calls = calls.filter((call) => call)',
    tests
  },
  {
    name: 'a call that may have been made is brought to its end',
    file: `${postgres}/moves/careful-moves.ts`,
    from: 'if (!identified.isInDoubt) identified.call',
    to: 'identified.call',
    tests
  },
  {
    name: 'objects of a server of the database that was lost are not taken for stored',
    file: `${postgres}/objects.ts`,
    from: 'if (losses !== this.#losses) {',
    to: 'if (losses < this.#losses) {',
    tests
  },
  {
    name: 'a lost connection is noticed',
    file: `${postgres}/database/channel.ts`,
    from: 'this.#options.endpoints.losses++',
    to: '',
    tests
  },
  {
    name: 'keys of moves outlive the repository',
    file: `${postgres}/requests.ts`,
    from: '(ofRepository === undefined ? this',
    to: '(ofRepository && known ? this',
    tests: ['test/store/contract.test.ts']
  },
  {
    name: 'the tombstone stays as long as rows are left',
    file: `${postgres}/sweeper.ts`,
    from: 'finds without the tombstone.\n    if (this.#isClosed) return',
    to: 'finds without the tombstone.',
    tests: ['test/store/postgres-sweeper.test.ts']
  },
  {
    name: 'a refusal that another server remembers first is no failure',
    file: 'server-fixture/service/request-keys.ts',
    from: 'if (!(failure instanceof KeyRemembered)) throw failure',
    to: 'throw failure',
    tests
  },
  {
    name: 'several outcomes are remembered together',
    file: `${postgres}/moves/ref-call.ts`,
    from: 'return requests.length < 2',
    to: 'return requests.length < 9',
    tests
  },
  {
    name: 'objects of a move have the format of the repository',
    file: `${postgres}/refs.ts`,
    from: 'oid.length !== oidLength(found.objectFormat)',
    to: 'oid.length < oidLength("sha1")',
    tests
  },
  {
    name: 'a write starts with the repository whose refs it was told',
    file: `${postgres}/postgres-store.ts`,
    from: 'return current && current.incarnation === start.info.incarnation ?',
    to: 'return current ?',
    tests
  },
  {
    name: 'a ref that is only held in its place was not moved by the call',
    file: `${postgres}/moves/locked-refs.ts`,
    from: 'moves.length > 0 && moves.every(isHere)',
    to: 'moves.every(isHere)',
    tests
  },
  {
    name: 'a deletion settles its own intent alone',
    file: `${postgres}/name-keys.ts`,
    from: 'AND is_intent AND id = $7::bigint RETURNING key',
    to: 'AND is_intent AND $7::bigint > 0 RETURNING key',
    tests
  },
  {
    name: 'a key of a deletion that was never carried out is free for a creation',
    file: `${postgres}/name-keys.ts`,
    from: 'if (row && (await this.#holds(row, key))) return false',
    to: 'if (row) return false',
    tests,
    mayHang: true
  }
]
