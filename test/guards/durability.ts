/** Guards of the Git store: an answer outlives a crash, and a start after one sees whole things alone. */
import type { Guard } from './guard.ts'

const durability = 'test/store/durability.test.ts'
const store = 'server-fixture/store/git'

export const guards: readonly Guard[] = [
  {
    name: 'the directory of packs is synced before a put is answered',
    file: `${store}/pack-installer.ts`,
    from: '      await fsyncDirectory(target)\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'the directories of moved refs are synced before the move is answered',
    file: `${store}/ref-mover.ts`,
    from: '      await this.#sync(calls.flatMap(({ moves }) => moves))\n',
    to: '',
    tests: [durability]
  },
  {
    name: 'a lock that was taken over after it was read is put back',
    file: `${store}/lock-file.ts`,
    from: '  if (moved !== text) await linked(aside, path)\n',
    to: '',
    tests: ['test/store/lock-takeover.test.ts']
  }
]
