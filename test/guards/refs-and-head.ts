/** Guards of refs and HEAD: they are as Git has them, and a change of HEAD is whole and durable. */
import type { Guard } from './guard.ts'

const store = 'server-fixture/store/git'
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
  }
]
