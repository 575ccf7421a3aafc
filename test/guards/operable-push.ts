/** Guards of push events. */
import type { Guard } from './guard.ts'

const pump = 'server-fixture/push/push-pump.ts'
const tests = ['test/push/push.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'the events of before the first start are not told',
    file: pump,
    from: '        cursors.set(name, cursor)\n',
    to: '',
    tests
  },
  {
    name: 'a place is kept behind the events that are in the outbox',
    file: pump,
    from: 'cursors.set(repository, cursor)\n      // A repository',
    to: 'void cursor\n      // A repository',
    tests
  },
  {
    name: 'a repository that is created again begins anew',
    file: pump,
    from: "      if (state === 'ended') cursors.delete(repository)\n",
    to: "      if (state === 'ended') return\n",
    tests,
    mayHang: true
  },
  {
    name: 'events arrive in order',
    file: pump,
    from: '      await send({ ...message, orderingKey: repository })\n',
    to: '      await send(message)\n',
    tests
  },
  {
    name: 'a destination is told of its own refs alone',
    file: pump,
    from: '.filter(({ name }) => refs.some((prefix) => name.startsWith(prefix)))',
    to: '.filter(() => refs.length > 0)',
    tests
  },
  {
    name: 'a destination is told of its own repositories alone',
    file: pump,
    from: '      if (!repositories.some((pattern) => matchesName(pattern, repository))) continue\n',
    to: '',
    tests
  },
  {
    name: 'a repeated event has the id of the first',
    file: pump,
    from: '`push_${named.slice(0, 40)}`',
    to: '`push_${Math.random().toString(36).slice(2)}`',
    tests: ['test/push/push-pump.test.ts']
  }
]
