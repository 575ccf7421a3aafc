/** Guards of the server's bounds: callers, bytes and time. */
import type { Guard } from './guard.ts'

const budget = 'test/server/memory-budget.test.ts'
const timeLimits = 'test/server/time-limits.test.ts'
const beforeReading = 'test/server/before-reading.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a gRPC caller is refused by the metadata, before a message is read',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: "    const principal = authenticator.authenticate(record.method, metadataValue(metadata, 'authorization'))\n",
    to: "    const principal = authenticator.authenticate('GetCapabilities', undefined)\n",
    tests: [beforeReading],
    mayHang: true
  },
  {
    name: 'grpc-js decompresses no message by itself',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: "      delete headers['grpc-encoding']\n",
    to: '',
    tests: [beforeReading]
  },
  {
    name: 'a message of an unknown gRPC caller is not collected beyond 4 KiB',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: '      if (this.#bytes <= maxAnonymousBytes) return\n',
    to: '      if (this.#bytes <= 1e9) return\n',
    tests: [beforeReading],
    mayHang: true
  },
  {
    name: 'a message of an unknown gRPC caller is not decompressed beyond 4 KiB',
    file: 'server-fixture/listener.ts',
    from: 'method.name === methods.getCapabilities.name ? maxAnonymousBytes : maxBatchBytes',
    to: 'maxBatchBytes',
    tests: [beforeReading]
  },
  {
    name: 'a compressed gRPC message requires an encoding',
    file: 'server-fixture/grpc/requests.ts',
    from: "  if (encoding === 'identity') {\n",
    to: '  if (false) {\n',
    tests: [beforeReading]
  },
  {
    name: 'requests in flight have a budget of bytes',
    file: 'server-fixture/memory-budget.ts',
    from: '    if (bytes > this.leftFor(requestBytes)) throw this.refusal(bytes, requestBytes)\n',
    to: '',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'a connection has no more than its share of the budget',
    file: 'server-fixture/memory-budget.ts',
    from: 'Math.min(this.#server.maxConnectionBytes - this.#heldBytes, this.#serverLeft(requestBytes))',
    to: 'this.#serverLeft(requestBytes)',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'the last of the budget is for small requests',
    file: 'server-fixture/memory-budget.ts',
    from: 'const reservedShare = 1 / 8',
    to: 'const reservedShare = 0',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'a body is charged as it comes',
    file: 'server-fixture/http/request-body.ts',
    from: 'charge.add(expected - chargedBytes)\n',
    to: '\n',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'a gRPC message is charged as it comes',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: '        incoming.charge.add(bytes - chargedBytes)\n',
    to: '',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'decompressed bytes are charged',
    file: 'server-fixture/inflate.ts',
    from: '  charge.add(content.length)\n',
    to: '',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'a session is not read on while its connection holds half of its share',
    file: 'server-fixture/service/session-frames.ts',
    from: '|| (pending > 0 && this.#dependencies.budget.isBusy)',
    to: '',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'compressed messages of a session wait for room',
    file: 'server-fixture/service/inflate-queue.ts',
    from: '    return this.#running >= maxAtOnce || (budget.isBusy && (this.#running > 0 || hasPending()))\n',
    to: '    return budget.isBusy && this.#running > 1e6 && hasPending()\n',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'what waits in the windows of unread sessions is bounded',
    file: 'server-fixture/service/session.ts',
    from: '    this.#budget.unread.add(this)\n',
    to: '',
    tests: ['test/server/session-flow.test.ts'],
    mayHang: true
  },
  {
    name: 'a session whose client reads nothing is not waited for',
    file: 'server-fixture/service/session.ts',
    from: 'if (isFull(error) && this.#stream.isRead) this.refuse(error)',
    to: 'if (isFull(error)) this.refuse(error)',
    tests: ['test/server/session-flow.test.ts'],
    mayHang: true
  },
  {
    name: 'a header block that never ends closes its connection',
    file: 'server-fixture/connection-watch.ts',
    from: 'this.#limits.headersTimeoutMs) session.destroy()',
    to: 'this.#limits.headersTimeoutMs) return',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'an answered PING counts only where nothing else came with it',
    file: 'server-fixture/connection-watch.ts',
    from: 'if (session.socket.bytesRead !== this.#verifiedBytes) this.#ask(nowMs)',
    to: 'if (this.#verifiedBytes < 0) this.#ask(nowMs)',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'content that arrives is no header that never ends',
    file: 'server-fixture/connection-watch.ts',
    from: '(this.#session.state.effectiveRecvDataLength ?? 0)',
    to: '0',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'a connection without streams is closed',
    file: 'server-fixture/connection-watch.ts',
    from: 'nowMs - this.#idleSinceMs >= this.#limits.idleTimeoutMs',
    to: 'false',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'a stream that does nothing is closed',
    file: 'server-fixture/connection-watch.ts',
    from: "      if (isLate || stream.listenerCount('timeout') === 1) stream.close(constants.NGHTTP2_CANCEL)\n",
    to: '',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'a session over HTTP that does nothing ends without an error',
    file: 'server-fixture/http/session.ts',
    from: "    this.input.on('timeout', () => void session.finish())\n",
    to: '',
    tests: [timeLimits]
  },
  {
    name: 'a session over gRPC that does nothing ends without an error',
    file: 'server-fixture/grpc/session.ts',
    from: "    call.stream.on('timeout', () => void session.finish())\n",
    to: '',
    tests: [timeLimits]
  },
  {
    name: 'a handshake that never ends is cut off',
    file: 'server-fixture/connection-watch.ts',
    from: 'if (nowMs >= endsAtMs) socket.destroy()',
    to: 'if (nowMs >= endsAtMs) socket.resume()',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'a message of a session has a time limit',
    file: 'server-fixture/service/partial-message.ts',
    from: '    if (nowMs - this.#sinceMs <= this.#timeoutMs) return\n',
    to: '    if (nowMs > 0) return\n',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'the request of a unary gRPC call has a time limit',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: '              if (!requestStream) this.#limitBody(refused, arrival.stream)\n',
    to: '',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'a gRPC call without a deadline has the limit of the server',
    file: 'server-fixture/grpc/unary.ts',
    from: 'within(limitMs, answer, gone)',
    to: 'answer',
    tests: [timeLimits],
    mayHang: true
  },
  {
    name: 'an HTTP call without a deadline has the limit of the server',
    file: 'server-fixture/http/unary.ts',
    from: '(timeoutMs ?? context.callTimeoutMs)',
    to: '(timeoutMs ?? 1e6)',
    tests: [timeLimits],
    mayHang: true
  }
]
