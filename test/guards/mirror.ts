/** Guards of the example `mirror`: what is sent, in which order, and what is left out. */
import type { Guard } from './guard.ts'

const whole = 'test/mirror/whole.test.ts'
const cases = 'test/mirror/cases.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'mirror sends a tree after the trees in it',
    file: 'cli/mirror/heights.ts',
    from: 'place.height = Math.max(place.height, (found[child] as number) + 1)',
    to: 'place.height = 0',
    tests: [whole]
  },
  {
    name: 'mirror copies the repository as it is stored, not as refs/replace shows it',
    file: 'cli/mirror/git.ts',
    from: "  GIT_NO_REPLACE_OBJECTS: '1',\n",
    to: '',
    tests: [whole]
  },
  {
    name: 'mirror sends a request only after those that it needs',
    file: 'cli/mirror/send-objects.ts',
    from: 'group.lowest < highest ||',
    to: 'false ||',
    tests: ['test/mirror/send-objects.test.ts']
  },
  {
    name: 'mirror asks for what an earlier run has sent',
    file: 'cli/mirror/plan.ts',
    from: 'repo: target.defaultBranch === undefined ? undefined : target.repo',
    to: 'repo: undefined',
    tests: [cases]
  },
  {
    name: 'mirror leaves out what reaches a large object through others',
    file: 'cli/mirror/sort-objects.ts',
    from: '    addReason(culprits, oid, below)\n',
    to: '',
    tests: [cases]
  },
  {
    name: 'mirror sends nothing that only refs left out reach',
    file: 'cli/mirror/plan.ts',
    from: 'const rest = await lookAt(source, target, { refs, reader })',
    to: 'const rest = all',
    tests: [cases]
  },
  {
    name: 'mirror sends nothing where a strict run leaves a ref out',
    file: 'cli/mirror/mirror.ts',
    from: 'if (strict && plan.leftOut.length > 0)',
    to: 'if (false)',
    tests: [cases]
  },
  {
    name: 'mirror sends no shallow history whose rest the server lacks',
    file: 'cli/mirror/plan.ts',
    from: '  await addShallow(culprits, { source, found, reader, target })\n',
    to: '',
    tests: [cases]
  },
  {
    name: 'mirror deletes no ref unless it is told to',
    file: 'cli/mirror/update-refs.ts',
    from: 'const gone = prune ?',
    to: 'const gone = true ?',
    tests: [cases]
  },
  {
    name: 'mirror deletes refs before it makes refs below their names',
    file: 'cli/mirror/update-refs.ts',
    from: 'for (const list of [deletions, moves])',
    to: 'for (const list of [moves, deletions])',
    tests: [cases]
  },
  {
    name: 'mirror holds the oid of the server against that of the source',
    file: 'cli/mirror/send-objects.ts',
    from: 'if (stored.oid !== oid)',
    to: 'if (false)',
    tests: [cases]
  },
  {
    name: 'mirror finds differences that git fsck finds on the server only',
    file: 'cli/mirror/verify.ts',
    from: '...worse.map((line) => `git fsck, only on the server: ${line}`)',
    to: '',
    tests: [whole]
  },
  {
    name: 'a batch of objects looks for all that they name in one question',
    file: 'server-fixture/service/batch.ts',
    from: "if (step.name === 'storeObject' && index >= lookedAt)",
    to: 'if (lookedAt < 0)',
    tests: ['test/server/read-once.test.ts']
  },
  {
    name: 'a batch of trees reads the .gitmodules that all of them name once',
    file: 'server-fixture/service/objects.ts',
    from: 'const found = checked.get(key) ?? checkFile(workspace, file)',
    to: 'const found = checkFile(workspace, file)',
    tests: ['test/server/read-once.test.ts']
  }
]
