/** Guards of what would cost more, for each, the more there are. */
import type { Guard } from './guard.ts'

export const guards: readonly Guard[] = [
  {
    name: 'calls with one signal share its listener',
    file: 'src/core/abort-listeners.ts',
    from: "if (all.members.size === 0) signal.addEventListener('abort', all)",
    to: "signal.addEventListener('abort', listener)",
    tests: ['test/call/abort-listeners.test.ts'],
    mayHang: true
  },
  {
    name: 'a signal whose calls have ended has no listener',
    file: 'src/core/abort-listeners.ts',
    from: "all.members.size === 0) signal.removeEventListener('abort', all)",
    to: 'all.members.size === 0) return',
    tests: ['test/call/abort-listeners.test.ts']
  },
  {
    name: 'the pages of an iterator grow',
    file: 'src/client/paging.ts',
    from: 'Math.max(pageSize ?? 1, 4 * page.items.length)',
    to: 'Math.max(pageSize ?? 1, page.items.length)',
    tests: ['test/client/iterators.test.ts']
  },
  {
    name: 'a page of refs has room in a message',
    file: 'server-fixture/service/paging.ts',
    from: 'index === limit || (index > 0 && bytes > limits.maxBatchBytes * shareOfMessage)',
    to: 'index === limit',
    tests: ['test/server/walks.test.ts']
  },
  {
    name: 'few processes list the commits of a walk',
    file: 'server-fixture/service/commit-reader.ts',
    from: 'growth: 160',
    to: 'growth: 1',
    tests: ['test/server/read-once.test.ts']
  },
  {
    name: 'a commit that Git reads otherwise is not taken for an exact one',
    file: 'src/git/commit.ts',
    from: "if (found === null || text.includes('\\0')) return undefined",
    to: 'if (found === null) return undefined',
    tests: ['test/git/objects.test.ts']
  },
  {
    name: 'a recursive listing has a bound',
    file: 'src/client/whole-tree.ts',
    from: 'if (tree.entries.length > most) throw',
    to: 'if (false) throw',
    tests: ['test/client/iterators.test.ts'],
    mayHang: true
  }
]
