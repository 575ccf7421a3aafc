/** Guards of refs and HEAD: they are as Git has them, and a change of HEAD is whole and durable. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
const head = 'test/git-judge/head.test.ts'
const refs = 'test/git-judge/refs.test.ts'
const forms = 'test/git-judge/forms.test.ts'
const crashPoints = 'test/store/crash-points.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a new HEAD is synced before it is answered',
    file: `${store}/head-file.ts`,
    from: "    await rename(lock, join(gitDir, 'HEAD'))\n    await fsyncDirectory(gitDir)\n",
    to: "    await rename(lock, join(gitDir, 'HEAD'))\n",
    tests: ['test/store/sync-order.test.ts', crashPoints]
  },
  {
    name: 'a change of HEAD in whose middle the server was killed is finished',
    file: `${store}/journaled-effects.ts`,
    from: '    if (begun) await use(repository, (found) => found.chooseBranch(defaultBranch))\n',
    to: '',
    tests: [crashPoints]
  },
  {
    name: 'HEAD is written when a call makes the first branch',
    file: `${store}/default-branch.ts`,
    from: 'if (branch !== undefined && branch !== written.ref) await writeHead(this.#gitDir, branch)',
    to: '',
    tests: [head]
  },
  {
    name: 'a default branch that somebody chose stays',
    file: `${store}/default-branch.ts`,
    from: 'isFree: !isChosen }',
    to: 'isFree: true }',
    tests: [head]
  },
  {
    name: 'deleting a symbolic ref leaves the ref that it names',
    file: `${store}/ref-transactions.ts`,
    from: "isZeroOid(newOid) ? 'option no-deref\\0' : ''",
    to: "''",
    tests: [refs]
  },
  {
    name: 'what git refuses for good is no lock of another process',
    file: `${store}/ref-refusals.ts`,
    from: 'if (forGood.test(said)) return refused(error)',
    to: 'if (forGood.test(said)) return locked(error)',
    tests: [refs]
  },
  {
    name: 'a ref whose name is not UTF-8 is read from its file',
    file: `${store}/ref-files.ts`,
    from: 'await readFile(pathOfName(path))',
    to: 'await readFile(path)',
    tests: [refs]
  },
  {
    name: 'objects are read as they are stored, not as refs/replace/ has them',
    file: `${store}/git-process.ts`,
    from: "  GIT_NO_REPLACE_OBJECTS: '1',\n",
    to: '',
    tests: [refs]
  },
  {
    name: 'hooks of a repository do not run',
    file: `${store}/git-process.ts`,
    from: "  'core.hooksPath': '/dev/null',\n",
    to: '',
    tests: [forms]
  },
  {
    name: 'a shallow history ends at its boundary',
    file: 'server-fixture/service/commit-walk.ts',
    from: 'this.#shallow.has(oid) ? [] : stored',
    to: 'stored',
    tests: [forms]
  },
  {
    name: 'repositories with refs in other forms than files are refused',
    file: `${store}/repository-form.ts`,
    from: "refStorage !== 'files'",
    to: 'false',
    tests: [forms]
  },
  {
    name: 'the directory of the ref that a symbolic ref names is synced',
    file: `${store}/ref-mover.ts`,
    from: '[name, this.#options.refs.files.targetOf(name)]',
    to: '[name]',
    tests: ['test/store/durability.test.ts']
  },
  {
    name: 'a server without defaultBranch that makes a repository is told of',
    file: 'src/client/composed-calls.ts',
    from: 'if (!made.created || !isOther) return made',
    to: 'if (made || isOther) return made',
    tests: [head]
  },
  {
    name: 'a server with Apply and without UpdateRepository is told of',
    file: 'src/batch/older-server.ts',
    from: 'if (isKeyed && isUnknownWrite(error))',
    to: 'if (!isUnknownWrite)',
    tests: [head]
  }
]
