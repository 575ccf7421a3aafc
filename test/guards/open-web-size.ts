/** Guards of the parts of the client for browsers that are smaller than those of Node. */
import type { Guard } from './guard.ts'

const tests = ['test/web/protobuf-decode.test.ts']
const file = 'src/codec/web/protobuf-decode.ts'

export const guards: readonly Guard[] = [
  {
    name: 'an unknown field of the details of an error is skipped',
    file,
    from: 'wireType === 5 ? 4 : 8',
    to: '4',
    tests
  },
  {
    name: 'details of an error that are cut off are refused',
    file,
    from: "    if (at > bytes.length) throw malformed('the message is cut off')\n",
    to: '',
    tests
  },
  {
    name: 'a list of MessagePack that declares more values than there are bytes is refused over fetch',
    file: 'src/codec/web/msgpack-read.ts',
    from: 'if (count > this.left)',
    to: 'if (count > 2 ** 32)',
    tests: ['test/web/msgpack.test.ts']
  },
  {
    name: 'nested MessagePack is refused over fetch before it fills the stack',
    file: 'src/codec/web/msgpack-read.ts',
    from: 'if (depth > maxDepth)',
    to: 'if (depth > 1e9)',
    tests: ['test/web/msgpack.test.ts']
  },
  {
    name: 'a MessagePack message with too many values is refused over fetch',
    file: 'src/codec/web/msgpack-read.ts',
    from: "if (++this.#values > maxValues) throw tooMany('values')",
    to: 'this.#values++',
    tests: ['test/web/msgpack.test.ts']
  }
]
