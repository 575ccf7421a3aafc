/** Guards of the client's uploads: runs of attempts, sources, resuming, verification, and contents of other calls. */
import type { Guard } from './guard.ts'

const running = 'src/transfer/running-transfer.ts'
const attempt = 'src/transfer/attempt.ts'
const runner = 'src/transfer/transfer-runner.ts'
const reader = 'src/transfer/source-reader.ts'
const pieces = 'src/transfer/pieces.ts'
const source = 'src/transfer/source.ts'
const upload = 'src/transfer/upload.ts'
const progress = 'src/transfer/progress.ts'
const uploads = 'src/client/uploads.ts'
const large = 'src/client/large-content.ts'
const contents = 'src/client/change-contents.ts'
const batches = 'src/client/batch-uploads.ts'

const runs = 'test/transfer/transfer-runner.test.ts'
const cuts = 'test/transfer/upload.test.ts'
const readers = 'test/transfer/source-reader.test.ts'
const meters = 'test/transfer/progress.test.ts'
const resuming = 'test/large/resuming.test.ts'
const endToEnd = 'test/large/uploads.test.ts'
const commits = 'test/large/commits.test.ts'
const calls = 'test/client/calls.test.ts'
const mistakes = 'test/client/mistaken-uploads.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'transfers: failures are counted anew after progress',
    file: running,
    from: '        this.#failures = 0\n',
    to: '',
    tests: [runs]
  },
  {
    name: 'transfers: what got further waits longer for its server',
    file: running,
    from: '        this.#hasProgressed = true\n',
    to: '',
    tests: [runs]
  },
  {
    name: 'transfers: a transfer that has ended makes no further attempt',
    file: running,
    from: '    this.#wake?.()\n',
    to: '',
    tests: [runs],
    mayHang: true
  },
  {
    name: 'transfers: the attempt is told that the transfer has ended',
    file: running,
    from: '    this.#attempt?.end(error)\n',
    to: '',
    tests: [runs]
  },
  {
    name: 'transfers: an attempt under way may have reached the server',
    file: running,
    from: "this.#attempt?.isUnderWay ? 'maybe' : error.sent",
    to: 'error.sent',
    tests: [runs]
  },
  {
    name: 'transfers: close() ends them',
    file: runner,
    from: '    for (const transfer of this.#running) transfer.end(clientClosed())\n',
    to: '',
    tests: [runs, resuming],
    mayHang: true
  },
  {
    name: 'transfers: bytes that move are no stall',
    file: attempt,
    from: '      const leftMs = waitsFromMs + stallTimeoutMs - clock.now()\n',
    to: '      const leftMs = 0\n',
    tests: [runs]
  },
  {
    name: 'transfers: waiting for the application is no stall',
    file: attempt,
    from: 'if (this.#idle > 0) return',
    to: 'if (this.#idle < 0) return',
    tests: [runs, cuts]
  },
  {
    name: 'transfers: a connection is the probe of a breaker, not a transfer',
    file: attempt,
    from: 'if (isProbe) await this.#probe(opened.transport)',
    to: '',
    tests: [runs]
  },
  {
    name: 'transfers: the breaker gets its permit back',
    file: attempt,
    from: '    this.#pick.channel.attemptEnded(this.#pick.permit, outcome, this.#beganAtMs)\n',
    to: '',
    tests: [runs]
  },
  {
    name: 'uploads: bytes are hashed once',
    file: reader,
    from: 'if (end > this.#hashedTo) {',
    to: 'if (end > 0) {',
    tests: [cuts]
  },
  {
    name: 'uploads: a plain stream keeps the bytes that the server may not hold',
    file: reader,
    from: 'const until = this.readsOnce ? Math.min(position, this.confirmedTo) : position',
    to: 'const until = position',
    tests: [readers]
  },
  {
    name: 'uploads: a plain stream cannot go back beyond what it keeps',
    file: reader,
    from: 'if (this.readsOnce) throw usedUp(',
    to: 'if (this.size === -1) throw usedUp(',
    tests: [cuts]
  },
  {
    name: 'uploads: a source with too few bytes fails',
    file: reader,
    from: 'if (size !== undefined && this.#end < size) throw',
    to: 'if (size === -1) throw',
    tests: [cuts]
  },
  {
    name: 'uploads: a source with too many bytes fails',
    file: reader,
    from: 'if (size !== undefined && end > size) throw',
    to: 'if (size === -1) throw',
    tests: [cuts]
  },
  {
    name: 'uploads: a slow source is not waited for to join its pieces',
    file: pieces,
    from: 'piece === late) break',
    to: 'piece === late) continue',
    tests: [resuming],
    mayHang: true
  },
  {
    name: 'uploads: a stream that was read before is told',
    file: source,
    from: 'if (readableEnded || destroyed) throw',
    to: 'if (readableEnded && destroyed === 7) throw',
    tests: [mistakes]
  },
  {
    name: 'uploads: the server is asked where to go on',
    file: upload,
    from: 'this.#mayHold = true\n    if (held',
    to: 'if (held',
    tests: [cuts]
  },
  {
    name: 'uploads: progress is what the server holds',
    file: upload,
    from: 'if (held.offset > this.#reader.confirmedTo) attempt.progressed()',
    to: '',
    tests: [cuts]
  },
  {
    name: 'uploads: a moved offset is asked for again',
    file: upload,
    from: 'throw isBehind ? error.with({ retryable: true }) : error',
    to: 'throw error',
    tests: [cuts]
  },
  {
    name: 'uploads: no stream to the server before there is something to send',
    file: upload,
    from: '    await attempt.idle(this.#reader.at(offset))\n',
    to: '',
    tests: [cuts]
  },
  {
    name: 'uploads: the oid of the answer is that of the bytes read',
    file: upload,
    from: "if (expected !== '' && oid !== expected) throw",
    to: 'if (false) throw',
    tests: [cuts]
  },
  {
    name: 'uploads: an oid that was told is that of the content',
    file: upload,
    from: '      this.#checkOid(this.#digests().oid)\n',
    to: '',
    tests: [cuts]
  },
  {
    name: 'uploads: a plain stream asks on the way how much the server holds',
    file: upload,
    from: 'if (this.#reader.readsOnce) await',
    to: 'if (this.#reader.size === -1) await',
    tests: [cuts]
  },
  {
    name: 'progress: ten times a second at most',
    file: progress,
    from: 'this.#clock.now() - this.#toldAtMs >= intervalMs',
    to: 'this.#clock.now() >= 0',
    tests: [meters]
  },
  {
    name: 'progress: bytes that are sent again count once',
    file: progress,
    from: 'if (position <= this.#position) return',
    to: '',
    tests: [meters]
  },
  {
    name: 'progress: bytes that need not move are no speed',
    file: progress,
    from: 'if (moved) this.#moved += bytes',
    to: 'this.#moved += bytes',
    tests: [meters]
  },
  {
    name: 'uploads: what the server has is not sent',
    file: uploads,
    from: "if (oid !== '' && (await this.#isStored(oid))) return",
    to: "if (oid === '-') return",
    tests: [endToEnd]
  },
  {
    name: 'commits: equal contents wait for the first, from before it is asked for',
    file: uploads,
    from: "    if (oid !== '') this.#twins?.underWay.set(oid, sent)\n",
    to: '',
    tests: [commits]
  },
  {
    name: 'uploads: one that nobody goes on with is cancelled',
    file: uploads,
    from: "    if (isKept || error.is('client_closed')",
    to: "    if (error.is('client_closed') || error.attempts >= 0",
    tests: [resuming],
    mayHang: true
  },
  {
    name: 'uploads: one with a token stays',
    file: uploads,
    from: 'this.#options.onResumeToken !== undefined || error',
    to: 'error',
    tests: [resuming],
    mayHang: true
  },
  {
    name: 'uploads: a token of other content begins anew',
    file: uploads,
    from: 'if (token.size !== size || token.identity !== source.identity) return false',
    to: '',
    tests: [resuming]
  },
  {
    name: 'a blob above the limit is uploaded where the limit is known',
    file: large,
    from: 'if (bytes > caches.limits.maxInlineBytes && caches.knowsLimits)',
    to: 'if (bytes > caches.limits.maxInlineBytes && !caches.knowsLimits)',
    tests: [calls]
  },
  {
    name: 'the limits are asked for before a blob is sent that fits no usual request',
    file: large,
    from: 'if (!caches.knowsLimits && bytes > defaultLimits.maxBatchBytes)',
    to: 'if (false)',
    tests: [calls]
  },
  {
    name: 'commits: each content is uploaded once',
    file: contents,
    from: 'areLikely: (counts.get(entry.size) ?? 0) > 1',
    to: 'areLikely: false',
    tests: [commits]
  },
  {
    name: 'commits: many small files are stored in groups',
    file: contents,
    from: 'const isFull = this.#groupBytes + bytes > maxBatchBytes || this.#group.length >= maxGroup',
    to: 'const isFull = this.#group.length >= maxGroup',
    tests: [commits]
  },
  {
    name: 'commits: all that is wrong is said before contents are read',
    file: 'src/client/commit-files.ts',
    from: '    fileChanges(input)\n    const changes',
    to: '    const changes',
    tests: [commits]
  },
  {
    name: 'batches: an operation whose content fails fails alone',
    file: batches,
    from: 'if (atomic || signal.aborted) throw',
    to: 'throw',
    tests: [commits]
  }
]
