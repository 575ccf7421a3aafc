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
  },
  {
    name: 'bytes that the connection buffers do not shorten the time of a busy server',
    file: 'src/transfer/attempt.ts',
    from: 'Math.max(this.#movedAtMs, this.#busyUntilMs)',
    to: 'this.#movedAtMs',
    tests: ['test/transfer/transfer-runner.test.ts']
  },
  {
    name: 'a server that has read more than the connection buffers is not busy any more',
    file: 'src/transfer/attempt.ts',
    from: 'this.#movedBytes > bufferedBytes ? this.#movedAtMs : ',
    to: '',
    tests: ['test/transfer/transfer-runner.test.ts']
  },
  {
    name: 'a request that waits for the finish of another one is not idle',
    file: 'server-fixture/http/upload-content.ts',
    from: '  transfer.hold()\n  const upload',
    to: '  const upload',
    tests: ['test/large/long-finishes.test.ts']
  },
  {
    name: 'an upload that is being finished is not taken from its writer before it has ended',
    file: 'server-fixture/store/uploads/spool-writer.ts',
    from: '    const pending: Promise<void> = work.then(settled, settled)\n    this.#pending = pending\n',
    to: '    const pending: Promise<void> = work.then(settled, settled)\n',
    tests: ['test/large/long-finishes.test.ts']
  }
]
