/** Guards of listings: their places, their bounds, and that nothing is read twice. */
import type { Guard } from './guard.ts'

const service = 'server-fixture/service'
const listings = ['test/server/listings.test.ts']
const walks = ['test/server/walks.test.ts']
const readOnce = ['test/server/read-once.test.ts']
const names = ['test/store/name-pages.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a page token of another version is refused',
    file: `${service}/page-token.ts`,
    from: 'tokenVersion === version && ',
    to: '',
    tests: listings
  },
  {
    name: 'a page token of another kind of listing is refused',
    file: `${service}/page-token.ts`,
    from: 'kind === this.#kind && ',
    to: '',
    tests: listings
  },
  {
    name: 'a page token is of an object that the repository has now',
    file: `${service}/page-token.ts`,
    from: 'if (info === undefined) throw',
    to: 'if (info === undefined) return\n  if (info === null) throw',
    tests: listings
  },
  {
    name: 'a page token leads only into directories',
    file: `${service}/tree-walk.ts`,
    from: '!this.#isRecursive || level === undefined || level.at >= level.tree.length || !level.tree.isTree(level.at)',
    to: 'level === undefined',
    tests: listings,
    mayHang: true
  },
  {
    name: 'entries of a tree are found by the order of Git, directories with their slash',
    file: `${service}/parsed-tree.ts`,
    from: 'this.isTree(index) ? slash : 0',
    to: '0',
    tests: ['test/server/parsed-tree.test.ts', ...listings]
  },
  {
    name: 'a commit that two others lead to is listed once',
    file: `${service}/commit-walk.ts`,
    from: '|| !this.#seen.has(keyOf(oid))',
    to: '|| true',
    tests: listings
  },
  {
    name: 'of equal dates, the commit that was found first comes first',
    file: `${service}/commit-heap.ts`,
    from: 'a.number < b.number',
    to: 'a.number > b.number',
    tests: ['test/server/history.test.ts']
  },
  {
    name: 'a walk that is repeated for longer than a page goes on where it was',
    file: `${service}/commit-log.ts`,
    from: 'position.visited + left',
    to: 'position.visited',
    tests: readOnce
  },
  {
    name: 'a walk through history waits for its next page',
    file: `${service}/commit-log.ts`,
    from: 'workspace.caches.walks.keep(repository, walk)',
    to: 'void walk',
    tests: readOnce
  },
  {
    name: 'walks that wait are bounded in number and bytes',
    file: `${service}/kept-walks.ts`,
    from: 'this.#walks.length <= maxWalks && bytes <= this.#maxBytes && ',
    to: '',
    tests: readOnce
  },
  {
    name: 'a walk that waits is of the same repository',
    file: `${service}/kept-walks.ts`,
    from: 'kept.repository !== repository || ',
    to: '',
    tests: readOnce
  },
  {
    name: 'a page ends after its steps',
    file: `${service}/pace.ts`,
    from: 'if (++this.#steps >= maxSteps) this.#isOver = true',
    to: 'if (++this.#steps >= maxSteps) this.#isOver = false',
    tests: walks,
    mayHang: true
  },
  {
    name: 'a page ends after its time',
    file: `${service}/pace.ts`,
    from: 'if (now >= this.#endsAtMs) this.#isOver = true',
    to: 'if (now >= this.#endsAtMs) this.#isOver = false',
    tests: walks
  },
  {
    name: 'walks give other work its turns',
    file: `${service}/pace.ts`,
    from: 'return turn && this.#rest(turn)',
    to: 'return undefined',
    tests: walks
  },
  {
    name: 'a walk ends when nobody waits for it',
    file: `${service}/pace.ts`,
    from: '    this.#caller.throwIfAbandoned()\n',
    to: '',
    tests: walks
  },
  {
    name: 'a page ends before it is larger than a message',
    file: `${service}/paging.ts`,
    from: '(items.length > 0 && bytes > maxBytes)',
    to: 'false',
    tests: walks
  },
  {
    name: 'trees with more levels than Git walks are refused',
    file: `${service}/tree-walk.ts`,
    from: '  if (depth <= maxTreeDepth) return\n',
    to: '  if (depth > 0) return\n',
    tests: walks
  },
  {
    name: 'a client goes on through empty pages',
    file: 'src/client/whole-tree.ts',
    from: "while (page.nextPageToken !== '') {",
    to: "while (page.nextPageToken !== '' && JSON.stringify(page).includes('path')) {",
    tests: walks
  },
  {
    name: 'a directory that many calls pass is read once',
    file: `${service}/tree-cache.ts`,
    from: 'if (loading === undefined) return this.#load(key, load)',
    to: 'if (loading !== null) return this.#load(key, load)',
    tests: readOnce
  },
  {
    name: 'a tree that was missing for one caller is read again for the next',
    file: `${service}/tree-cache.ts`,
    from: '      return load()\n',
    to: "      throw new Error('the other call failed')\n",
    tests: readOnce
  },
  {
    name: 'a long walk asks for longer and longer lists of commits',
    file: `${service}/commit-reader.ts`,
    from: 'this.#listSize = size * lists.growth',
    to: 'this.#listSize = size',
    tests: readOnce
  },
  {
    name: 'a cache has a bound in bytes',
    file: 'server-fixture/store/bounded-cache.ts',
    from: 'this.#bytes <= this.#bounds.maxBytes && ',
    to: '',
    tests: readOnce
  },
  {
    name: 'a cache has a bound in time',
    file: 'server-fixture/store/bounded-cache.ts',
    from: '    if (!this.#isFresh(entry)) {\n',
    to: '    if (entry === undefined) {\n',
    tests: readOnce
  },
  {
    name: 'a later page of refs has those that were made since the first',
    file: 'server-fixture/store/git/git-repository.ts',
    from: 'this.#refs.namesChanged()',
    to: 'void 0',
    tests: names
  },
  {
    name: 'later pages of refs do not list them all',
    file: 'server-fixture/store/git/ref-store.ts',
    from: "page.after === '' ? undefined : this.#kept.get(this.#keyOf(directory))",
    to: 'undefined',
    tests: names
  },
  {
    name: 'a later page of repositories has those that were made since the first',
    file: 'server-fixture/store/git/repository-directories.ts',
    from: '    this.#listed = undefined\n',
    to: '',
    tests: names
  }
]
