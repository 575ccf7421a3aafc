/** Guards of writes that wait for the store as seldom as possible, and are as exact as before. */
import type { Guard } from './guard.ts'

const server = 'server-fixture/service'
const trips = 'test/server/round-trips.test.ts'
const contract = 'test/store/contract.test.ts'
const chain = 'test/server/commit-chain.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the objects of a move go to the store with it',
    file: `${server}/workspace.ts`,
    from: '    return this.#staged.storeWith((objects) => {\n',
    to: '    await this.flush()\n    return this.#staged.storeWith((objects) => {\n',
    tests: [trips]
  },
  {
    name: 'objects that a move has stored are not stored again',
    file: `${server}/staged-objects.ts`,
    from: '    const result = await work(this.#unstored())\n    this.#flushed = length\n',
    to: '    const result = await work(this.#unstored())\n',
    tests: [trips]
  },
  {
    name: 'the head that a chain has made is kept for the next one',
    file: `${server}/commit-chain.ts`,
    from: 'if (last) await workspace.keepHead(last.oid, last.tree).catch(() => undefined)',
    to: '',
    tests: [trips]
  },
  {
    name: 'directories below the root are kept, too',
    file: `${server}/workspace.ts`,
    from: "if (item.mode === '040000') await this.#keepTrees(item.oid)",
    to: 'if (false) await this.#keepTrees(item.oid)',
    tests: [trips]
  },
  {
    name: 'an atomic batch asks for all its refs at once',
    file: `${server}/workspace.ts`,
    from: 'names.every((name) => known?.has(name))',
    to: 'false',
    tests: [trips]
  },
  {
    name: 'an atomic batch looks for the targets of its moves at once',
    file: `${server}/atomic-start.ts`,
    from: '(isZeroOid(oid) ? undefined :',
    to: '(true ? undefined :',
    tests: [trips]
  },
  {
    name: 'an atomic batch whose key is remembered is not carried out again',
    file: `${server}/atomic-start.ts`,
    from: 'if (key !== undefined && remembered[0] !== undefined) throw new KeyRemembered(key)',
    to: '',
    tests: ['test/server/request-keys.test.ts']
  },
  {
    name: 'names that no ref may have are not asked for',
    file: `${server}/atomic-start.ts`,
    from: '.filter((name) => refFormatProblem(name.toWellFormed()) === undefined)',
    to: '',
    tests: ['test/server/request-keys.test.ts']
  },
  {
    name: 'a commit whose key is remembered is left out of its chain',
    file: `${server}/commit-chain.ts`,
    from: 'if (isKnown) reject(new KeyRemembered(key.key))',
    to: '',
    tests: ['test/server/request-keys.test.ts'],
    mayHang: true
  },
  {
    name: 'a chain asks for the keys of its commits before it is made',
    file: `${server}/commit-chain.ts`,
    from: 'const keys = this.#commits.flatMap(({ key }) => key?.key ?? [])',
    to: 'const keys: string[] = []',
    tests: ['test/server/request-keys.test.ts']
  },
  {
    name: 'a chain of which somebody has gone is made again without them',
    file: `${server}/commit-chain.ts`,
    from: 'if (!(error instanceof Abandoned)) return this.#settle(error)',
    to: 'return this.#settle(error)',
    tests: [chain]
  },
  {
    name: 'a creation looks up its key first, which a store may keep apart from those of other writes',
    file: `${server}/service.ts`,
    from: '    if (creation ?? change ?? deletion) await this.#keys.throwIfRemembered(repository, key)\n',
    to: '',
    tests: ['test/server/request-keys.test.ts']
  },
  {
    name: 'the Git store moves no ref under a key that is remembered',
    file: 'server-fixture/store/git/request-journal.ts',
    from: 'for (const { key } of given) if (await this.recall(repository, key)) throw new KeyRemembered(key)',
    to: '',
    tests: [contract]
  },
  {
    name: 'the Git store moves no ref for those who have gone',
    file: 'server-fixture/store/git/ref-mover.ts',
    from: '        call.throwIfAbandoned?.()\n',
    to: '',
    tests: [contract]
  },
  {
    name: 'the Git store stores the objects of a move',
    file: 'server-fixture/store/git/git-repository.ts',
    from: 'if (objects.length > 0) await this.#writer.put(objects)',
    to: '',
    tests: [contract]
  },
  {
    name: 'the memory store moves no ref for those who have gone',
    file: 'server-fixture/store/memory-store.ts',
    from: '    throwIfAbandoned?.()\n',
    to: '',
    tests: [contract]
  },
  {
    name: 'the effect log tells of objects that come with a move',
    file: 'server-fixture/faults/effects.ts',
    from: '      if (objects.length > 0) await putObjects(repository, objects)\n',
    to: '',
    tests: ['test/server/faults.test.ts']
  }
]
