/** Guards of the Git store against other git processes, and of its own joining of packs. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
const outside = 'test/server/git-housekeeping.test.ts'
const joining = 'test/store/join-packs.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the directory for unfinished packs has a name that git prune leaves alone',
    file: `${store}/incoming-directory.ts`,
    from: "['blobwire-incoming-', 'tmp_objdir-blobwire-']",
    to: "['tmp_objdir-blobwire-', 'blobwire-incoming-']",
    tests: [joining]
  },
  {
    name: 'a directory for unfinished packs that is gone is made again',
    file: `${store}/pack-installer.ts`,
    from: '      if (!(await this.#incoming.isGone())) throw error\n',
    to: '      throw error\n',
    tests: [joining]
  },
  {
    name: 'new packs are kept from git gc',
    file: `${store}/pack-directory.ts`,
    from: '    if (!this.#keepsNew) return name\n',
    to: '    return name\n',
    tests: [outside]
  },
  {
    name: 'a pack of the same bytes never gets a .keep file later',
    file: `${store}/pack-directory.ts`,
    from: 'if (await isThere(join(this.path, `${name}.pack`)))',
    to: 'if (name === "")',
    tests: [joining]
  },
  {
    name: 'an object counts as there only where no pack has gone',
    file: `${store}/object-reader.ts`,
    from: "    if (losses !== this.#packs.losses) answers = await this.#ask('info', oids)\n",
    to: '',
    tests: [outside]
  },
  {
    name: 'an object that was written is written again where packs have gone',
    file: 'server-fixture/store/gathering/put-gatherer.ts',
    from: '    this.#confirm()\n',
    to: '',
    tests: [outside]
  },
  {
    name: 'refs reach no missing object after a pack has gone',
    file: `${store}/ref-mover.ts`,
    from: '        calls = await this.#checkConnected(calls)\n',
    to: '',
    tests: [outside]
  },
  {
    name: 'the new pack is in its place before the old ones go',
    file: `${store}/join-packs.ts`,
    from: "    await packs.moveIn(incoming, output.toString('latin1').trim())\n    await packs.remove(names)\n",
    to: "    await packs.remove(names)\n    await packs.moveIn(incoming, output.toString('latin1').trim())\n",
    tests: [joining]
  },
  {
    name: 'packs that others keep are not joined',
    file: `${store}/pack-list.ts`,
    from: "      if (hasKeep && (await readFile(`${path}.keep`, 'utf8')) !== keepMark) return undefined\n",
    to: '',
    tests: [joining]
  },
  {
    name: 'packs of objects that Git expires are not joined',
    file: `${store}/pack-list.ts`,
    from: "['promisor', 'mtimes']",
    to: "['promisor']",
    tests: [joining]
  },
  {
    name: 'the .keep file of an old pack is removed',
    file: `${store}/repack.ts`,
    from: 'pack.changedAtMs < old',
    to: 'pack.changedAtMs < 0',
    tests: [joining]
  },
  {
    name: 'the .keep file of a pack within the grace period stays',
    file: `${store}/repack.ts`,
    from: 'pack.changedAtMs < old',
    to: 'true',
    tests: [joining]
  },
  {
    name: 'a pack that git cannot read does not keep the others from being joined',
    file: `${store}/repack.ts`,
    from: '        for (const name of names) this.#skipped.add(name)\n',
    to: '        names.at(0)\n',
    tests: [joining],
    mayHang: true
  },
  {
    name: 'no packs are joined while git gc works',
    file: `${store}/repack.ts`,
    from: '      if (await isMaintainedByOthers(this.#context.gitDir)) return this.#awaitQuiet(this.#options.repackQuietMs)\n',
    to: '',
    tests: [joining],
    mayHang: true
  },
  {
    name: 'a stale multi-pack-index is removed',
    file: `${store}/pack-directory.ts`,
    from: "    for (const file of files) if (file.startsWith('multi-pack-index')) await this.#unlink(file)\n",
    to: '',
    tests: [joining]
  },
  {
    name: 'git ignores a multi-pack-index of others',
    file: `${store}/git-process.ts`,
    from: "  'core.multiPackIndex': 'false',\n",
    to: '',
    tests: [joining]
  },
  {
    name: 'parts of packs that a killed server was removing go',
    file: `${store}/crash-recovery.ts`,
    from: "(await readFile(path, 'utf8')) === keepMark",
    to: 'false',
    tests: [joining]
  }
]
