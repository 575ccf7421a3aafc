/** Guards of sessions and of the batches on them, of the client and of the server. */
import type { Guard } from './guard.ts'

const frames = 'src/batch/session-frames.ts'
const batcher = 'src/batch/batcher.ts'
const server = 'server-fixture/service'
const sessions = 'test/batch/sessions.test.ts'
const results = 'test/batch/results.test.ts'
const gathering = 'test/batch/gathering.test.ts'
const ending = 'test/batch/ending.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a frame holds at most half of the operations under way',
    file: batcher,
    from: 'Math.min(maxOperations, limits.maxBatchOperations, share)',
    to: 'Math.min(maxOperations, limits.maxBatchOperations)',
    tests: [gathering]
  },
  {
    name: 'operations that a session sends again are charged to the retry budget',
    file: frames,
    from: '      budget.charge()\n',
    to: '',
    tests: ['test/retry/budget.test.ts'],
    mayHang: true
  },
  {
    name: 'an operation is sent three times at most',
    file: frames,
    from: '    if (sends >= Math.min(maxSends, call.maxSends ?? maxSends)) return false\n',
    to: '',
    tests: [sessions],
    mayHang: true
  },
  {
    name: 'the retry of one operation of a broken session is decided by its error',
    file: frames,
    from: '(established && mayResend(error))\n',
    to: 'true\n',
    tests: [sessions, 'test/batch/unary.test.ts'],
    mayHang: true
  },
  {
    name: 'a result that nobody waits for ends the session',
    file: frames,
    from: 'return this.#unexpected(id, frame)',
    to: 'continue',
    tests: [results]
  },
  {
    name: 'an operation has one result',
    file: 'src/batch/frame.ts',
    from: '    if (this.#answered[index] !== 0) return false\n    this.#answered[index] = 1\n    this.#left--\n    if (this.events',
    to: '    this.#answered[index] = 1\n    this.#left--\n    if (this.events',
    tests: [results],
    mayHang: true
  },
  {
    name: 'an expired token is renewed once',
    file: frames,
    from: 'frame.operationOf(id)?.refreshed === false',
    to: 'true',
    tests: [sessions],
    mayHang: true
  },
  {
    name: 'an unresponsive session is left',
    file: frames,
    from: 'if (this.#inFlight.isUnresponsive(clock.now(), maxAbandoned)) this.#renew()',
    to: '',
    tests: [ending]
  },
  {
    name: 'frames without a waiting call leave the window',
    file: 'src/batch/in-flight.ts',
    from: '      this.#abandoned.add(frame)\n      this.#release(frame)\n',
    to: '      this.#abandoned.add(frame)\n',
    tests: [ending]
  },
  {
    name: 'the queue of a client is bounded in operations',
    file: 'src/batch/priority-queue.ts',
    from: 'operations < maxQueued && ',
    to: '',
    tests: [ending],
    mayHang: true
  },
  {
    name: 'the queue of a client is bounded in bytes',
    file: 'src/batch/priority-queue.ts',
    from: 'this.#bytes + bytes <= maxQueuedBytes',
    to: 'true',
    tests: [ending]
  },
  {
    name: 'nothing is sent on a stream without room',
    file: batcher,
    from: '    if (bySession && !this.#frames.hasRoom) return\n    this.#flushUnbatchable(bySession)\n    while (!lingers && this.#window.hasRoom && (!bySession || this.#frames.hasRoom)) {\n',
    to: '    this.#flushUnbatchable(bySession)\n    while (!lingers && this.#window.hasRoom) {\n',
    tests: [gathering]
  },
  {
    name: 'an operation larger than the server takes does not break the session',
    file: batcher,
    from: "if (operation.bytes > this.#context.limits().maxBatchBytes) return 'tooLarge'",
    to: '',
    tests: [sessions, gathering],
    mayHang: true
  },
  {
    name: 'operations are sent again within the retry budget',
    file: frames,
    from: 'return (isFree && sends === 1) || this.#context.budget.take()',
    to: 'return true',
    tests: ['test/retry/budget.test.ts', sessions]
  },
  {
    name: 'a session without a greeting is left',
    file: 'src/session/session.ts',
    from: 'this.#cancelGreeting = clock.schedule(greetingMs, () => this.#silent())',
    to: 'this.#cancelGreeting = undefined',
    tests: ['test/batch/unary.test.ts'],
    mayHang: true
  },
  {
    name: 'a draining stream that ends with an answer outstanding is the end of its session',
    file: 'src/session/draining-stream.ts',
    from: ' && generation.outstanding <= 0',
    to: '',
    tests: ['test/session/draining-stream.test.ts']
  },
  {
    name: 'a session is closed with the stream that is being opened',
    file: 'src/session/draining-stream.ts',
    from: '        if (this.#over) return generation.stream?.destroy()\n',
    to: '',
    tests: ['test/session/draining-stream.test.ts']
  },
  {
    name: 'the number of results of a batch is that of its operations',
    file: 'src/batch/unary-fallback.ts',
    from: 'if (results.length !== pending.length)',
    to: 'if (false)',
    tests: ['test/batch/unary.test.ts']
  },
  {
    name: 'a content that is gone fails its own operation alone',
    file: frames,
    from: 'given.every(holdsContents) ? given : given.filter(holdsContents)',
    to: 'given',
    tests: ['test/client/contents.test.ts', 'test/batch/exceptions.test.ts']
  },
  {
    name: 'the server reads nothing more from a client that reads no answers',
    file: 'server-fixture/http/session.ts',
    from: 'return this.#output.writableLength <= maxUnsentBytes',
    to: 'return true',
    tests: ['test/server/session-flow.test.ts'],
    mayHang: true
  },
  {
    name: 'the server starts no batch for a client that reads no answers',
    file: `${server}/session-frames.ts`,
    from: ' && this.#dependencies.isRead()',
    to: '',
    tests: ['test/server/session-flow.test.ts']
  },
  {
    name: 'the server pauses a client whose answers wait',
    file: `${server}/session.ts`,
    from: '    if (!this.#stream.isRead) this.#pause()\n',
    to: '',
    tests: ['test/server/session-flow.test.ts']
  },
  {
    name: 'the server reads compressed frames no faster than it decompresses them',
    file: `${server}/session.ts`,
    from: ' && this.#decodingCount <= maxDecoding',
    to: '',
    tests: ['test/faults/compressed-frames.test.ts']
  },
  {
    name: 'pending operations of a session are bounded',
    file: `${server}/session-frames.ts`,
    from: 'pending >= maxPendingOperations || ',
    to: '',
    tests: ['test/server/session-flow.test.ts']
  },
  {
    name: 'batches of a session at the same time are bounded',
    file: `${server}/session-frames.ts`,
    from: 'this.#started.size < maxBatchesAtOnce && ',
    to: '',
    tests: ['test/server/session-flow.test.ts']
  },
  {
    name: 'a frame of several batches is bounded in operations',
    file: `${server}/running-batch.ts`,
    from: '  if (count > maxBatchOperations) {\n',
    to: '  if (false) {\n',
    tests: ['test/server/frames.test.ts']
  },
  {
    name: 'the ids of a frame follow each other',
    file: `${server}/running-batch.ts`,
    from: 'if (firstId !== nextId)',
    to: 'if (false)',
    tests: ['test/server/frames.test.ts'],
    mayHang: true
  },
  {
    name: 'an id in flight is not used again',
    file: `${server}/session-frames.ts`,
    from: 'if (firstId < other.firstId + other.operations.length && other.firstId < endId)',
    to: 'if (false)',
    tests: ['test/server/session.test.ts'],
    mayHang: true
  },
  {
    name: 'headers of operations are those that a request may have',
    file: `${server}/running-batch.ts`,
    from: '      if (problem !== undefined) throw invalidArgument(`batches.headerLists',
    to: '      if (false) throw invalidArgument(`batches.headerLists',
    tests: ['test/server/frames.test.ts']
  },
  {
    name: 'a token is looked at again for each frame',
    file: `${server}/session-frames.ts`,
    from: 'authenticate(), requestId)',
    to: '{ may: () => true }, requestId)',
    tests: ['test/server/session-clients.test.ts']
  },
  {
    name: 'a cancelled operation is not begun',
    file: `${server}/running-batch.ts`,
    from: '    if (!this.#cancelled?.has(index)) return\n',
    to: '    return\n',
    tests: ['test/server/session.test.ts']
  },
  {
    name: 'a stream that ends in the middle of a frame ends with an error',
    file: 'server-fixture/http/session.ts',
    from: 'if (!parser.incomplete || draining.aborted) ',
    to: 'if (true) ',
    tests: ['test/server/session.test.ts']
  },
  {
    name: 'an envelope above the limit is refused by its header',
    file: 'src/codec/envelope.ts',
    from: 'if (length > this.#maxBytes)',
    to: 'if (false)',
    tests: ['test/codec/envelope.test.ts']
  }
]
