/** Guards of push events of several servers. */
import type { Guard } from './guard.ts'

const push = 'server-fixture/push'
const tests = ['test/push/shared-push.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a place is kept once what was sent before it has arrived',
    file: `${push}/shared-cursors.ts`,
    from: 'await Promise.all([before, ...deliveries])',
    to: 'await Promise.all([before])',
    tests
  },
  {
    name: 'a delivery that was broken off has not ended',
    file: `${push}/shared-cursors.ts`,
    from: 'if (!outcomes.some(isBrokenOff)) return true',
    to: 'return true',
    tests,
    mayHang: true
  },
  {
    name: 'a server takes no lease that another one has',
    file: 'server-fixture/store/postgres/push-rows.ts',
    from: 'WHERE l.holder = excluded.holder OR l.expires_at < excluded.asked_at',
    to: 'WHERE true',
    tests
  },
  {
    name: 'a server without the lease keeps no place',
    file: 'server-fixture/store/postgres/push-rows.ts',
    from: "WHERE l.name = 'push' AND l.holder = $1::uuid",
    to: "WHERE l.name = 'push' AND $1::uuid IS NOT NULL",
    tests
  },
  {
    name: 'a server that lost the lease sends no more',
    file: `${push}/shared-push.ts`,
    from: '      else await this.#end(0)\n',
    to: '',
    tests
  },
  {
    name: 'a lease that could not be renewed ends by the clock of its holder',
    file: `${push}/shared-push.ts`,
    from: 'this.#heldUntilMs - this.#clock.now(), () => void this.#end(0)',
    to: 'this.#heldUntilMs - this.#clock.now(), () => undefined',
    tests
  },
  {
    name: 'a server that closes lets another one send at once',
    file: `${push}/shared-push.ts`,
    from: '    await this.#context.ledger.releaseLease(this.#holder).catch(() => undefined)\n',
    to: '',
    tests
  },
  {
    name: 'the end of a repository that was deleted is read',
    file: `${push}/shared-cursors.ts`,
    from: ', ...gone]',
    to: ']',
    tests,
    mayHang: true
  },
  {
    name: 'a sender does not begin before its places are kept',
    file: 'server-fixture/push/shared-cursors.ts',
    from: "    if (!(await ledger.begin(holder))) throw new Error('another server has the lease')\n",
    to: '    await ledger.begin(holder).catch(() => undefined)\n',
    tests: ['test/push/shared-push.test.ts']
  },
  {
    name: 'a server that lost the lease before its places were kept does not send',
    file: 'server-fixture/push/shared-cursors.ts',
    from: '    if (!(await ledger.begin(holder))) throw',
    to: '    if (!(await ledger.begin(holder)) && holder === "") throw',
    tests: ['test/push/shared-push.test.ts']
  },
  {
    name: 'the lease is renewed while a sender reads its places',
    file: 'server-fixture/push/shared-push.ts',
    from: 'this.#hold(askedMs)\n',
    to: 'await (this.#hold(askedMs), this.#starting)\n',
    tests: ['test/push/shared-push.test.ts'],
    mayHang: true
  },
  {
    name: 'a sender whose term ended while it started sends nothing',
    file: 'server-fixture/push/shared-push.ts',
    from: '      if (number !== this.#terms) return await sender.close(0)\n',
    to: '',
    tests: ['test/push/shared-push.test.ts'],
    mayHang: true
  }
]
