/** Guards of the client's downloads: resuming, verification, ranges, files, and their ends. */
import type { Guard } from './guard.ts'

const receiver = 'src/transfer/range-receiver.ts'
const reader = 'src/transfer/blob-reader.ts'
const source = 'src/transfer/blob-source.ts'
const reading = 'src/transfer/reading.ts'
const download = 'src/transfer/download.ts'
const queue = 'src/transfer/chunk-queue.ts'
const file = 'src/platform/new-file.ts'
const reads = 'src/client/large-reads.ts'

const bytes = 'test/transfer/download.test.ts'
const ends = 'test/transfer/download-ends.test.ts'
const newFile = 'test/platform/new-file.test.ts'
const largeReads = 'test/large/large-reads.test.ts'
const older = 'test/large/older-servers.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'downloads: the whole is held against the oid',
    file: reader,
    from: '  if (oid !== found?.oid) throw contentMismatch(',
    to: '  if (oid.length < 1) throw contentMismatch(',
    tests: [bytes]
  },
  {
    name: 'downloads: a range is held against the digest of the server',
    file: receiver,
    from: 'if (computed !== told) throw',
    to: 'if (computed.length < 1) throw',
    tests: [bytes]
  },
  {
    name: 'downloads: a range without a digest is not taken for verified',
    file: receiver,
    from: 'if (sha256 === undefined) {\n      throw',
    to: 'if (sha256 === undefined) {\n      if (start === end) throw',
    tests: [bytes]
  },
  {
    name: 'downloads: the digest of a range that was cut begins with the range',
    file: receiver,
    from: 'this.#hash === undefined || offset === start ? undefined : start\n',
    to: 'this.#hash === undefined || offset === start ? undefined : offset\n',
    tests: [bytes]
  },
  {
    name: 'downloads: no byte beyond the range is taken',
    file: receiver,
    from: 'if (this.#position + next.length > end) throw',
    to: 'if (this.#position > end) throw',
    tests: [bytes]
  },
  {
    name: 'downloads: a range that ends early is no range',
    file: receiver,
    from: '    if (this.#position === end) return\n',
    to: '    if (this.#position <= end) return\n',
    tests: [bytes]
  },
  {
    name: 'downloads: bytes that are known are not taken twice',
    file: receiver,
    from: 'known > 0 ? chunk.subarray(known) : chunk',
    to: 'chunk',
    tests: [bytes]
  },
  {
    name: 'downloads: another blob in the middle of one',
    file: source,
    from: "if (expected !== '' && oid !== expected) {",
    to: "if (expected === '-') {",
    tests: [bytes]
  },
  {
    name: 'downloads: another size in the middle of a blob',
    file: source,
    from: 'this.#size !== undefined && size !== this.#size',
    to: 'this.#size !== undefined && size < 0',
    tests: [bytes]
  },
  {
    name: 'downloads: a branch that moves does not join two versions',
    file: source,
    from: "    if (expected === '') this.#address = { repository, oid, revision: '', path: '' }\n",
    to: '',
    tests: [bytes]
  },
  {
    name: 'downloads: the first request and one for the beginning do not cross',
    file: reading,
    from: '    await this.#finding?.catch(() => undefined)\n',
    to: '',
    tests: [bytes]
  },
  {
    name: 'downloads: a range at the very end is empty',
    file: reading,
    from: '    return start === end\n',
    to: '    return start > end\n',
    tests: [bytes]
  },
  {
    name: 'downloads: nothing is read ahead of the reader',
    file: queue,
    from: 'if (this.#bytes <= this.#capacityBytes) return undefined\n    return new',
    to: 'if (this.#bytes <= this.#capacityBytes * 2 + 100) return undefined\n    return new',
    tests: [ends]
  },
  {
    name: 'downloads: parts are no larger than all may hold',
    file: reader,
    from: 'Math.min(maxPartBytes, maxHeldBytes / parallel)',
    to: 'maxHeldBytes',
    tests: [bytes]
  },
  {
    name: 'downloads: no part is begun before the one that many before it is read',
    file: reader,
    from: 'this.#parts.length < parallel && ',
    to: '',
    tests: [bytes]
  },
  {
    name: 'downloads: leaving the loop ends the stream at once',
    file: download,
    from: '      return: () => {\n        this.#reading.end()\n',
    to: '      return: () => {\n',
    tests: [ends],
    mayHang: true
  },
  {
    name: 'downloads: a download has one reader',
    file: download,
    from: '    if (this.#isTaken) {',
    to: '    if (this.#isTaken && this.#called.method === "") {',
    tests: [ends]
  },
  {
    name: 'downloads: a stream that is not read sends nothing',
    file: download,
    from: '{ highWaterMark: 0 }',
    to: '{ highWaterMark: 1 }',
    tests: [ends]
  },
  {
    name: 'downloads: the signal ends them',
    file: reading,
    from: '    else listen(signal, this)\n',
    to: '',
    tests: [ends],
    mayHang: true
  },
  {
    name: 'downloads: a time is for all requests together',
    file: reading,
    from: 'this.#endsAtMs ??= now + timeoutMs',
    to: 'this.#endsAtMs = now + timeoutMs',
    tests: [ends],
    mayHang: true
  },
  {
    name: 'downloads: a time in which the reader does not read is no stall',
    file: receiver,
    from: 'await attempt.idle(wait)',
    to: 'await wait',
    tests: [ends]
  },
  {
    name: 'new files: nothing is left of one that failed',
    file: file,
    from: '    await rm(this.#path, { force: true })\n',
    to: '',
    tests: [newFile]
  },
  {
    name: 'new files: the old mode is kept',
    file: file,
    from: '      await this.#handle.chmod(existing.mode & 0o7777)\n',
    to: '',
    tests: [newFile]
  },
  {
    name: 'new files: a link stays one',
    file: file,
    from: 'await realpath(given).catch(() => given)',
    to: 'given',
    tests: [newFile]
  },
  {
    name: 'new files: a device or socket is not replaced by a file',
    file: file,
    from: "  if (existing !== undefined && !existing.isFile()) throw refusal('ENOTSUP', target)\n",
    to: '',
    tests: [ends]
  },
  {
    name: 'new files: a name that is too long is told before all is written',
    file: file,
    from: "    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined\n    throw error\n",
    to: '    void error\n    return undefined\n',
    tests: [ends]
  },
  {
    name: 'large reads: the oid of the refusal is read, whatever the branch has become',
    file: reads,
    from: 'refusal.details.limit?.oid ?? oid',
    to: 'oid',
    tests: [largeReads]
  },
  {
    name: 'large reads: the time of the client is for messages',
    file: reads,
    from: 'timeoutMs: hasOwnTimeout ? Math.max(1, Math.ceil(remainingMs)) : undefined',
    to: 'timeoutMs: Math.max(1, Math.ceil(remainingMs))',
    tests: [largeReads]
  },
  {
    name: 'large reads: a call in interceptors may become a download, which ends below',
    file: 'src/client/interception.ts',
    from: 'if (!this.#call.mayTakeLong || this.#sentOn === 0) this',
    to: 'this',
    tests: [largeReads]
  },
  {
    name: 'large reads: an older server is told',
    file: reads,
    from: '  if (!resume) {',
    to: '  if (!resume && method === undefined) {',
    tests: [older],
    mayHang: true
  },
  {
    name: 'download: a target that is none is refused before anything is asked for',
    file: 'src/transfer/file-sink.ts',
    from: '  checkPath(path)\n',
    to: '',
    tests: ['test/client/mistaken-targets.test.ts']
  },
  {
    name: 'checkout: an input that is none is refused, and not read as that of HEAD',
    file: 'src/client/files/tree-methods.ts',
    from: "take('checkout', input, checkoutInput)",
    to: "take('checkout', { ...input }, checkoutInput)",
    tests: ['test/client/mistaken-targets.test.ts']
  }
]
