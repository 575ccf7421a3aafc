/** Guards of sources that fail late, are given twice, or wait while the upload is cut or ends. */
import type { Guard } from './guard.ts'

const reader = 'src/transfer/source-reader.ts'
const source = 'src/transfer/source.ts'

const ends = 'test/transfer/source-ends.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'sources: a failure that nobody waited for is no end',
    file: 'src/transfer/pieces.ts',
    from: '    if (this.#ahead !== undefined) return this.#ahead\n    if (this.#hasEnded) return Promise.resolve(undefined)\n',
    to: '    if (this.#hasEnded) return Promise.resolve(undefined)\n    if (this.#ahead !== undefined) return this.#ahead\n',
    tests: [ends]
  },
  {
    name: 'sources: a wait of an attempt that was cut drives the next one not',
    file: reader,
    from: 'this.#isClosed || round !== this.#round',
    to: 'this.#isClosed',
    tests: [ends]
  },
  {
    name: 'sources: a closed reader opens nothing',
    file: reader,
    from: 'this.#isClosed || round !== this.#round',
    to: 'round !== this.#round',
    tests: [ends]
  },
  {
    name: 'sources: a stream that was read is not read again as nothing',
    file: source,
    from: '  if (taken.has(stream)) throw',
    to: '  if (false) throw',
    tests: [ends]
  },
  {
    name: 'sources: a stream of which nothing was read is ended',
    file: source,
    from: '    current ??= given && iterate(given)\n',
    to: '',
    tests: [ends]
  },
  {
    name: 'transfers: work that goes on after the end makes no attempt',
    file: 'src/transfer/running-transfer.ts',
    from: "    if (this.#isOver) throw abortError('the transfer has ended')\n",
    to: '',
    tests: ['test/transfer/transfer-runner.test.ts']
  }
]
