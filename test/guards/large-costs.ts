/** Guards of the costs and the ends of uploads. */
import type { Guard } from './guard.ts'

const blocks = 'server-fixture/store/block-list.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a few bytes of an upload do not keep large buffers',
    file: blocks,
    from: '    if ((this.#length - start) * 2 < this.#cost) this.#join()\n',
    to: '',
    tests: ['test/store/block-list.test.ts']
  },
  {
    name: 'buffers that an upload fills are kept without a copy',
    file: blocks,
    from: '    if ((this.#length - start) * 2 < this.#cost) this.#join()\n',
    to: '    this.#join()\n',
    tests: ['test/store/block-list.test.ts']
  },
  {
    name: 'a large piece of a content is read in slices',
    file: blocks,
    from: 'from + Math.min(sliceBytes, end - at)',
    to: 'from + (end - at)',
    tests: ['test/server/transfers.test.ts']
  }
]
