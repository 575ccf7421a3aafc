/** Guards of the Git store: an answer outlives a crash. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
const durability = 'test/store/durability.test.ts'
const requestKill = 'test/store/request-kill.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the directory of packs is synced before a put is answered',
    file: `${store}/pack-directory.ts`,
    from: '      await fsyncDirectory(this.path)\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'a pack is moved in before its index',
    file: `${store}/pack-directory.ts`,
    from: "['pack', 'idx']",
    to: "['idx', 'pack']",
    tests: [durability]
  },
  {
    name: 'git itself syncs packs and refs',
    file: `${store}/git-process.ts`,
    from: "'core.fsync': 'all'",
    to: "'core.fsync': 'none'",
    tests: ['test/store/git-faults.test.ts', 'test/store/traced-syncs.test.ts']
  },
  {
    name: 'the directories of moved refs are synced before the move is answered',
    file: `${store}/ref-mover.ts`,
    from: '      await this.#sync(calls.flatMap(({ moves }) => moves))\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'directories are synced up to the data directory',
    file: `${store}/fsync.ts`,
    from: 'path.length >= top.length && !paths.has(path)',
    to: 'path.length > top.length && !paths.has(path)',
    tests: [durability]
  },
  {
    name: 'a new repository is synced whole before it is moved to its place',
    file: `${store}/repository-directories.ts`,
    from: '      await fsyncTree(making)\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'the place of a new repository is synced before the creation is answered',
    file: `${store}/repository-directories.ts`,
    from: '      await rename(making, path)\n      await this.syncPlace(repository)\n',
    to: '      await rename(making, path)\n',
    tests: [durability]
  },
  {
    name: 'the place of a deleted repository is synced before the deletion is answered',
    file: `${store}/repository-directories.ts`,
    from: '      await rename(path, removing)\n      await this.syncPlace(repository)\n',
    to: '      await rename(path, removing)\n',
    tests: [durability]
  },
  {
    name: 'a repository is deleted by a rename, at once',
    file: `${store}/repository-directories.ts`,
    from: '      await rename(path, removing)\n',
    to: '      await rm(path, { recursive: true })\n',
    tests: ['test/store/crash-points.test.ts']
  },
  {
    name: 'the id of an older repository is on disk before it is used',
    file: `${store}/repository-directories.ts`,
    from: '  await rename(`${path}.new`, path)\n  await fsyncDirectory(gitDir)\n',
    to: '  await rename(`${path}.new`, path)\n',
    tests: ['test/store/sync-order.test.ts']
  },
  {
    name: 'git is told where each ref has to be',
    file: `${store}/ref-transactions.ts`,
    from: '}update ${name}\\0${newOid}\\0${expectedOid}\\0`',
    to: '}update ${name}\\0${newOid}\\0\\0`',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'the intent is on disk before the refs move',
    file: `${store}/ref-mover.ts`,
    from: '        await this.#intend(calls)\n',
    to: '        void this.#intend(calls)\n',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'marks of earlier moves are on disk before a move without a key',
    file: `${store}/ref-mover.ts`,
    from: 'if (fresh.length === 0) return await journal.flush()',
    to: 'if (fresh.length === 0) return',
    tests: [durability]
  },
  {
    name: 'marks of earlier moves are on disk before a repository is created or deleted',
    file: `${store}/journaled-effects.ts`,
    from: '    if (ids.length === 0) await journal.flush()\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'an intent is of one repository, not of a later one of its name',
    file: `${store}/journaled-effects.ts`,
    from: '    if (!same) return false\n',
    to: '',
    tests: [requestKill]
  },
  {
    name: 'an object missing during a repack is looked up again',
    file: `${store}/object-reader.ts`,
    from: '(before % 2 === 1 || before !== this.#packSequence())',
    to: 'false',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'one object that git refuses does not fail its neighbours',
    file: 'server-fixture/store/gathering/put-gatherer.ts',
    from: "puts.length > 1 && error instanceof BlobwireError && error.code === 'internal'",
    to: 'false',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'a second put of an object waits for the first',
    file: 'server-fixture/store/gathering/put-gatherer.ts',
    from: 'if (earlier !== put) waitFor.add(earlier)',
    to: '',
    tests: ['test/store/contract.test.ts', 'test/store/git-faults.test.ts']
  },
  {
    name: 'calls for one ref are carried out in order of arrival',
    file: 'server-fixture/store/gathering/move-queue.ts',
    from: 'if (fits && !names.some((name) => refs.has(name)))',
    to: 'if (fits)',
    tests: ['test/store/move-queue.test.ts']
  },
  {
    name: 'the names of a new data directory and of its journal are synced',
    file: `${store}/fsync.ts`,
    from: '  if (first !== undefined) await fsyncUpTo([dirname(directory)], dirname(first))\n',
    to: '',
    tests: ['test/store/sync-order.test.ts']
  }
]
