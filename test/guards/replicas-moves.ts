/** Guards of moves of refs, request keys and events on a database that several servers share. */
import type { Guard } from './guard.ts'

const moves = 'server-fixture/store/postgres/moves'
const statements = `${moves}/move-statements.ts`
const events = 'server-fixture/store/postgres/events.ts'
const tests = ['test/store/postgres/moves.test.ts']
const plans = ['test/store/postgres/plans.test.ts']
const contract = ['test/store/contract.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a gathered move begins with the lock of the repository',
    file: `${moves}/plain-moves.ts`,
    from: 'lockRepository(id, events.length),',
    to: "{ name: 'no lock', text: 'SELECT id FROM repositories WHERE id = $1::bigint', values: [id] },",
    tests
  },
  {
    name: 'a gathered move expects the ref at its old object',
    file: statements,
    from: 'm.old_oid = (SELECT f.oid FROM refs f',
    to: 'm.old_oid <> (SELECT f.moved_by::text::bytea FROM refs f',
    tests
  },
  {
    name: 'a gathered move of a branch is to a commit that is there',
    file: statements,
    from: "(name.startsWith('refs/heads/') ? 1 : 4)",
    to: '(name ? 4 : 1)',
    tests
  },
  {
    name: 'a gathered move is not made under a key that is remembered',
    file: statements,
    from: 'AND NOT EXISTS (SELECT 1 FROM unnest(string_to_array',
    to: 'AND (true OR EXISTS (SELECT 1 FROM unnest(string_to_array',
    tests
  },
  {
    name: 'no plan reads a table whole that was small when it was made',
    file: 'server-fixture/store/postgres/database/session.ts',
    from: ",\n  enable_seqscan: 'off'",
    to: '',
    tests: plans
  },
  {
    name: 'the plan of a statement is made once',
    file: 'server-fixture/store/postgres/database/session.ts',
    from: "'force_generic_plan'",
    to: "'auto'",
    tests: plans
  },
  {
    name: 'a key is looked up by itself, whatever the size of the table',
    file: 'server-fixture/store/postgres/requests.ts',
    from: ' AND key = n.key LIMIT 1',
    to: " AND key || '' = n.key LIMIT 1",
    tests: plans
  },
  {
    name: 'the index for the sweep of keys is of no use to a lookup',
    file: 'server-fixture/store/postgres/schema/tables.ts',
    from: " WHERE forget_after > '-infinity'",
    to: '',
    tests: plans
  },
  {
    name: 'an event is written where the ref has moved',
    file: statements,
    from: "(e.name = '' OR",
    to: '(true OR',
    tests
  },
  {
    name: 'a key is remembered where the ref has moved',
    file: statements,
    from: "(k.name = '' OR",
    to: '(true OR',
    tests
  },
  {
    name: 'each try of a move has an id of its own',
    file: `${moves}/ref-call.ts`,
    from: '(call.tries++ % 256)',
    to: '(call.tries % 256)',
    tests
  },
  {
    name: 'a move whose first answer was lost is known again',
    file: `${moves}/locked-refs.ts`,
    from: "if (this.#isMade(identified)) return 'made'",
    to: '',
    tests
  },
  {
    name: 'a move that may have been made is not called refused',
    file: `${moves}/locked-refs.ts`,
    from: 'throw unknownOutcome()',
    to: 'return mismatches',
    tests
  },
  {
    name: 'other moves are not made under a key that is remembered',
    file: `${moves}/locked-refs.ts`,
    from: 'if (this.#keys.has(key)) throw new KeyRemembered(key)',
    to: 'if (!this.#keys) throw new KeyRemembered(key)',
    tests
  },
  {
    name: 'a call whose caller has gone moves nothing',
    file: `${moves}/ref-call.ts`,
    from: '    throwIfAbandoned?.()\n',
    to: '',
    tests
  },
  {
    name: 'a repository that another server deleted is looked up again by a move',
    file: `${moves}/careful-moves.ts`,
    from: 'if (row === undefined) throw new RepositoryGone()',
    to: "if (row === undefined) throw new Error('gone')",
    tests
  },
  {
    name: 'moves of one batch wait together only where their refs differ',
    file: 'server-fixture/service/waiting-writes.ts',
    from: 'joinable.refs.some((ref) => this.#refs.has(ref))',
    to: 'false',
    tests: ['test/server/moves-together.test.ts']
  },
  {
    name: 'a move does not overtake objects that an earlier one of its batch stores',
    file: 'server-fixture/service/batch.ts',
    from: "'refs' in joined && this.#workspace.stagedCount > 0",
    to: "'refs' in joined && this.#workspace.stagedCount < 0",
    tests: ['test/server/moves-together.test.ts']
  },
  {
    name: 'a ref below a new one is in its way',
    file: `${moves}/careful-moves.ts`,
    from: 'below: below.map(({ name }) => name).filter((name) => name !== null),',
    to: 'below: below.map(({ name }) => name).filter((name) => name === undefined),',
    tests
  },
  {
    name: 'events are told to those who may read the repository of their name',
    file: events,
    from: '(row.name ?? row.buried_name) !== repository',
    to: '(row.name ?? row.buried_name) === null',
    tests: contract
  },
  {
    name: 'a place after the last event of a repository is a gap',
    file: events,
    from: 'after.sequence > Number(row.last_event)',
    to: 'after.sequence > Number.POSITIVE_INFINITY',
    tests: contract
  },
  {
    name: 'events that were swept are a gap',
    file: events,
    from: 'if (found.some(({ moves }) => moves === swept)) return undefined',
    to: 'if (found.some(({ moves }) => moves === undefined)) return undefined',
    tests
  }
]
