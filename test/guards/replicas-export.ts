/** Guards of exports as bare Git repositories, and of imports. */
import type { Guard } from './guard.ts'

const source = 'server-fixture/git-export'
const exported = 'test/git-export/export.test.ts'
const histories = 'test/git-export/export-histories.test.ts'
const imported = 'test/git-export/import.test.ts'
const commands = 'test/git-export/commands.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a caller of an export that is fresh waits for no lock',
    file: `${source}/git-exports.ts`,
    from: '      if (!readsAllRefs && (await isFresh(path, present))) return unchanged(path)\n      const work',
    to: '      const work',
    tests: [exported],
    mayHang: true
  },
  {
    name: 'callers that wait for a refresh do not make another',
    file: `${source}/git-exports.ts`,
    from: '        // Another call has done it meanwhile.\n        if (!readsAllRefs && (await isFresh(path, present)))',
    to: '        if (path === "")',
    tests: [exported]
  },
  {
    name: 'an export that is behind the place of the store is not fresh',
    file: `${source}/git-exports.ts`,
    from: '    exported.sequence >= cursor.sequence &&\n',
    to: '',
    tests: [exported]
  },
  {
    name: 'an export of a repository that had the name before is not fresh',
    file: `${source}/git-exports.ts`,
    from: '    exported.incarnation === cursor.incarnation &&\n',
    to: '',
    tests: [exported]
  },
  {
    name: 'HEAD of an export follows without an event',
    file: `${source}/git-exports.ts`,
    from: '    exportedHead === head\n',
    to: '    exportedHead !== undefined\n',
    tests: [exported]
  },
  {
    name: 'the export of a deleted repository is removed',
    file: `${source}/git-exports.ts`,
    from: "error.reason === 'repository') await this.#remove(repository, path)",
    to: "error.reason === 'repository' && path === '') await this.#remove(repository, path)",
    tests: [exported]
  },
  {
    name: 'objects of a repository that had the name before are not exported',
    file: `${source}/git-export.ts`,
    from: 'before === undefined || before.cursor.incarnation !== now.cursor.incarnation',
    to: 'before === undefined',
    tests: [exported]
  },
  {
    name: 'what a killed process left in an export is removed',
    file: `${source}/git-export.ts`,
    from: '  await removeLeftovers(context.gitDir)\n',
    to: '',
    tests: [exported]
  },
  {
    name: 'refs of an export reach no missing object',
    file: `${source}/git-export.ts`,
    from: 'throw new NotConnected(',
    to: 'if (tips.length === 0) throw new NotConnected(',
    tests: [exported]
  },
  {
    name: 'an export with an object that lacks those that it names is made anew',
    file: `${source}/git-export.ts`,
    from: '    // Somebody has deleted packs of the export, or it came to hold an object without those that it names.\n',
    to: '    throw error\n',
    tests: [exported]
  },
  {
    name: 'a refresh takes no object that is exported',
    file: `${source}/object-walk.ts`,
    from: 'found.filter((_, index) => there[index] === undefined)',
    to: 'found.filter((_, index) => there[index] !== null)',
    tests: [exported]
  },
  {
    name: 'an object that the store lacks is told, and no ref moves',
    file: `${source}/object-source.ts`,
    from: '      if (object === undefined) throw missing(repository, oid)\n      const',
    to: '      if (object === undefined) continue\n      const',
    tests: [exported]
  },
  {
    name: 'submodules are not followed',
    file: `${source}/named-objects.ts`,
    from: '    if (commitMode.test(mode)) continue\n',
    to: '',
    tests: [exported]
  },
  {
    name: 'tags are exported with the object that they lead to',
    file: `${source}/peel.ts`,
    from: "        if (object?.kind !== 'tag') break\n",
    to: '        break\n',
    tests: [exported]
  },
  {
    name: 'a directory with something else in it is not made an export',
    file: `${source}/export-directory.ts`,
    from: "  if ((await contentsOf(path)).length > 0) throw notOurs(path, 'it holds something else')\n",
    to: '',
    tests: [exported]
  },
  {
    name: 'one process at a time writes into an export',
    file: `${source}/export-directory.ts`,
    from: '      if (!isBusy && !isMissing(error)) throw',
    to: '      if (isBusy || !isMissing(error)) throw',
    tests: [exported]
  },
  {
    name: 'who waits for an export waits no longer than its signal',
    file: `${source}/git-exports.ts`,
    from: "    signal.addEventListener('abort', stop, { once: true })\n",
    to: '',
    tests: [exported],
    mayHang: true
  },
  {
    name: 'packs of an export are joined',
    file: `${source}/join-exported-packs.ts`,
    from: '.length <= maxPacks) return\n',
    to: '.length >= 0) return\n',
    tests: [exported]
  },
  {
    name: 'a listing of several pages is true of one place',
    file: `${source}/store-refs.ts`,
    from: '    if (pages === 0) return',
    to: '    if (pages >= 0) return',
    tests: [exported]
  },
  {
    name: 'refs that other programs moved in a Git store are exported',
    file: `${source}/export-command.ts`,
    from: "const readsAllRefs = storeKind === 'git'",
    to: "const readsAllRefs = storeKind === 'memory'",
    tests: [commands]
  },
  {
    name: 'imported trees come after those in them',
    file: `${source}/tree-order.ts`,
    from: 'Math.max(top, (heights[child] as number) + 1)',
    to: 'Math.max(top, 0)',
    tests: [imported]
  },
  {
    name: 'imported commits come after their parents',
    file: `${source}/import-objects.ts`,
    from: 'indexesOf(lists.commit).reverse()',
    to: 'indexesOf(lists.commit)',
    tests: [imported]
  },
  {
    name: 'imported tags come after those that they name',
    file: `${source}/import-objects.ts`,
    from: 'depth++\n',
    to: 'depth--\n',
    tests: [imported]
  },
  {
    name: 'what is imported is checked by its oid',
    file: `${source}/import-objects.ts`,
    from: ' || hashObject(kind, content, this.#source.format) !== oid',
    to: '',
    tests: [imported]
  },
  {
    name: 'a repeated import stores what is missing',
    file: `${source}/import-objects.ts`,
    from: 'oids.filter((_, index) => there[index] === undefined)',
    to: 'oids.filter((_, index) => there[index] !== null)',
    tests: [imported]
  },
  {
    name: 'an import loses no commit of a branch without force',
    file: `${source}/import-refs.ts`,
    from: "    return 'it has commits that the import does not have; --force moves it'\n",
    to: '    return undefined\n',
    tests: [imported]
  },
  {
    name: 'an import moves no tag without force',
    file: `${source}/import-refs.ts`,
    from: "  if (!name.startsWith('refs/heads/')) return 'it is at another object; --force moves it'\n",
    to: '',
    tests: [imported]
  },
  {
    name: 'an import leaves refs that somebody moves meanwhile',
    file: `${source}/import-refs.ts`,
    from: '    rest = rest.filter(({ name }) => !mismatches.has(name))\n',
    to: '    rest = []\n',
    tests: [imported]
  },
  {
    name: 'a shallow repository is not imported',
    file: `${source}/source-repository.ts`,
    from: "if (isShallow === 'true')",
    to: "if (isShallow === '')",
    tests: [imported]
  },
  {
    name: 'a ref that Git cannot read makes an import fail',
    file: `${source}/source-repository.ts`,
    from: '  if (broken) throw',
    to: "  if (broken && path === '') throw",
    tests: [imported]
  },
  {
    name: 'a partial clone is not imported, and nothing is fetched for it',
    file: `${source}/source-repository.ts`,
    from: '  await refusePartial(path, context)\n',
    to: '',
    tests: [imported]
  },
  {
    name: 'an import makes no repository before it knows that nothing is missing',
    file: `${source}/git-import.ts`,
    from: '  const lists = await listObjects(source, [...new Set(refs.values())])\n  checkFormat((await store.createRepository(repository, source.format, { defaultBranch })).info)\n',
    to: '  checkFormat((await store.createRepository(repository, source.format, { defaultBranch })).info)\n  const lists = await listObjects(source, [...new Set(refs.values())])\n',
    tests: [imported]
  },
  {
    name: 'parents that grafts hide are imported',
    file: 'server-fixture/store/git/git-process.ts',
    from: "  GIT_GRAFT_FILE: '/dev/null/none',\n",
    to: '',
    tests: [imported]
  },
  {
    name: 'a ref in the way of others is deleted before them',
    file: `${source}/import-refs.ts`,
    from: '...groupsOf(first), ...groupsOf(rest)',
    to: '...groupsOf([...first, ...rest])',
    tests: [imported]
  },
  {
    name: 'a ref that cannot exist beside another one is left, and does not stop the others',
    file: `${source}/import-refs.ts`,
    from: '      conflictOf(name) ??\n',
    to: '',
    tests: [imported]
  },
  {
    name: 'HEAD and refs of an export are of one repository',
    file: `${source}/git-export.ts`,
    from: '  if (now.cursor.incarnation !== target.incarnation) throw repositoryNotFound(info.repository)\n',
    to: '',
    tests: [histories]
  },
  {
    name: 'an export during which the repository was replaced is made again',
    file: `${source}/git-exports.ts`,
    from: '        if (now.cursor.incarnation === incarnation) throw error\n',
    to: '        if (now) throw error\n',
    tests: [histories]
  },
  {
    name: 'a long chain of commits is not read one by one from a database',
    file: `${source}/commits-ahead.ts`,
    from: '    this.#isRead = true\n',
    to: '    this.#isRead = true\n    if (repository !== "") return\n',
    tests: [histories]
  },
  {
    name: 'the export of a shallow history follows its end',
    file: `${source}/git-export.ts`,
    from: 'isOther || (await readShallow(context.gitDir)) !== textOf(await shallowOf(target))',
    to: 'isOther',
    tests: [histories]
  }
]
