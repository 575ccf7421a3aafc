/** Guards of compression: every compressor has the bounds of gzip, and no peer gets one that it lacks. */
import type { Guard } from './guard.ts'

const compression = 'test/compression/compression.test.ts'
const negotiation = 'test/compression/negotiation.test.ts'
const frames = 'src/compression/zstd-frames.ts'

export const guards: readonly Guard[] = [
  {
    name: 'requests of one batch that are sent at the same time have 32 MiB at most',
    file: 'src/client/parallel-requests.ts',
    from: ' || (underWay.size > 0 && bytes + size > maxParallelBytes)',
    to: '',
    tests: ['test/client/parallel-requests.test.ts']
  },
  {
    name: 'a large pack: each block of a content tells whether it is the last',
    file: 'server-fixture/store/git/pack-encoder.ts',
    from: 'target[at++] = isLast ? 1 : 0',
    to: 'target[at++] = 1',
    tests: ['test/store/pack-encoder.test.ts']
  },
  {
    name: 'a large pack is compressed when it is joined',
    file: 'server-fixture/store/git/join-packs.ts',
    from: "...(compress ? ['--no-reuse-object'] : []),",
    to: '...(compress ? [] : []),',
    tests: ['test/store/repack.test.ts']
  },
  {
    name: 'a second pack is begun only where much waits',
    file: 'server-fixture/store/gathering/put-gatherer.ts',
    from: 'this.#queuedBytes >= bulkBytes ?',
    to: 'this.#queuedBytes >= 0 ?',
    tests: ['test/store/git-faults.test.ts']
  },
  {
    name: 'zstd: a message of very many frames is refused',
    file: frames,
    from: 'if (count === maxFrames)',
    to: 'if (count < 0)',
    tests: [compression]
  },
  {
    name: 'zstd: a frame with a window above 8 MiB is refused',
    file: frames,
    from: 'if (windowBytes > maxWindowBytes)',
    to: 'if (windowBytes < 0)',
    tests: [compression]
  },
  {
    name: 'zstd: a frame that is truncated in a block is refused, on every version of Node',
    file: frames,
    from: '  if ((descriptor & 4) !== 0) at += 4\n  if (at > bytes.length) throw truncated()\n',
    to: '',
    tests: [compression]
  },
  {
    name: 'zstd: the frames of a message share its limit, in the client',
    file: 'src/compression/compression.ts',
    from: '    left -= content.length\n',
    to: '',
    tests: [compression]
  },
  {
    name: 'zstd: the frames of a message share its limit, on the server',
    file: 'server-fixture/inflate.ts',
    from: '    maxBytes -= content.length\n',
    to: '',
    tests: [compression]
  },
  {
    name: 'zstd: the window of a frame is charged to the budget',
    file: 'server-fixture/inflate.ts',
    from: '  charge.add(windowBytes)\n',
    to: '  charge.add(0)\n',
    tests: [compression]
  },
  {
    name: 'unary: zstd only for a server that has named it',
    file: 'src/transport/http/unary.ts',
    from: "    this.usable = own.filter((name) => name === 'gzip')\n    this.#isSettled",
    to: '    this.usable = own\n    this.#isSettled',
    tests: [negotiation]
  },
  {
    name: 'unary: a server that refuses zstd gets the request again, with gzip',
    file: 'src/transport/http/unary.ts',
    from: "compressor === 'zstd' &&",
    to: "compressor === 'gzip' &&",
    tests: [negotiation]
  },
  {
    name: 'session: zstd only for a server that has named it',
    file: 'src/transport/http/session.ts',
    from: "?? 'gzip'))\n    this.#usable",
    to: "?? 'gzip, zstd'))\n    this.#usable",
    tests: [negotiation]
  }
]
