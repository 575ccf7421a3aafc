/** Guards of checkouts of many files: threads that write, and contents that come deflated. */
import type { Guard } from './guard.ts'

const threads = 'test/platform/file-threads.test.ts'
const checkout = 'test/files/checkout-many.test.ts'
const deflated = 'test/store/deflated-blobs.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a thread holds contents against their hashes',
    file: 'src/platform/file-thread.ts',
    from: 'hashHex(hash.algorithm, hash.header, own) !== hash.digest',
    to: 'hashHex(hash.algorithm, hash.header, own) === ""',
    tests: [threads, checkout]
  },
  {
    name: 'a thread opens no link as a directory',
    file: 'src/platform/file-thread.ts',
    from: 'openSync(path, onlyDirectory | noFollow)',
    to: 'openSync(path, onlyDirectory)',
    tests: [threads]
  },
  {
    name: 'a thread takes a zlib stream of another length for damaged',
    file: 'src/platform/file-thread.ts',
    from: 'return content.length === size ? content : undefined',
    to: 'return content',
    tests: [threads]
  },
  {
    name: 'a thread removes what was written of a file that failed',
    file: 'src/platform/file-thread.ts',
    from: 'unlinkSync(beside)',
    to: '',
    tests: [threads]
  },
  {
    name: 'blobs that are deltas are left to git',
    file: 'server-fixture/store/git/pack-entries.ts',
    from: 'if (((byte >> 4) & 7) !== blobType) return undefined',
    to: '',
    tests: [deflated]
  },
  {
    name: 'packs that have gone are read no more',
    file: 'server-fixture/store/git/deflated-reader.ts',
    from: 'this.#packs.delete(name)',
    to: '',
    tests: [deflated]
  },
  {
    name: 'a pack that is cut off is left to git',
    file: 'server-fixture/store/git/pack-entries.ts',
    from: '!end.equals(index.subarray(-2 * oidBytes, -oidBytes))',
    to: 'end.length === 0',
    tests: [deflated]
  },
  {
    name: 'a checkout asks for contents as the store has them',
    file: 'src/client/files/write-files.ts',
    from: 'const acceptDeflated = batches !== undefined',
    to: 'const acceptDeflated = batches === null',
    tests: [checkout]
  },
  {
    name: 'answers to another machine are compressed',
    file: 'server-fixture/http/same-machine.ts',
    from: "told !== '' && told === machineMark()",
    to: "told !== ''",
    tests: ['test/compression/negotiation.test.ts']
  },
  {
    name: 'a machine is told where compression is left to the client alone',
    file: 'src/client/transport-factory.ts',
    from: "this.#options.compression === 'auto' && isLoopback",
    to: 'isLoopback',
    tests: ['test/compression/negotiation.test.ts']
  }
]
