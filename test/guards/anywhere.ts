/** Guards of the package: how it is bundled, imported and required. */
import type { Guard } from './guard.ts'

const packed = ['test/package/package.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a Node that is too old is told what is needed, before undici fails',
    file: 'src/index.ts',
    from: "import './check-node.cts'\n",
    to: '',
    tests: packed
  },
  {
    name: 'CommonJS checks the version of Node, too',
    file: 'scripts/build.ts',
    from: "require('${up}src/check-node.cjs')\\n",
    to: '',
    tests: packed
  },
  {
    name: 'a grpc-js that is missing is told of',
    file: 'src/connection/grpc/grpc-js.ts',
    from: "throw new BlobwireError({ reason: 'grpc_js_missing', message, sent: 'never', cause })",
    to: 'throw cause',
    tests: packed
  },
  {
    name: 'protobuf: contents that are read own their memory',
    file: 'src/codec/protobuf-read.ts',
    from: 'return isShared ? view : ownBytes(view)',
    to: 'return view',
    tests: ['test/codec/protobuf-read.test.ts']
  },
  {
    name: 'protobuf: a message that stands twice in a field is merged',
    file: 'src/codec/protobuf-read.ts',
    from: 'this.#value(field, end, message[name])',
    to: 'this.#value(field, end, undefined)',
    tests: ['test/codec/protobuf-read.test.ts']
  },
  {
    name: 'protobuf: an integer beyond 2^53 - 1 is an error',
    file: 'src/codec/protobuf-read.ts',
    from: 'if (high !== 0 || size > most) throw',
    to: 'if (size < 0) throw',
    tests: ['test/codec/protobuf-read.test.ts']
  }
]
