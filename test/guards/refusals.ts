/** Guards of refusals over HTTP: the answer reaches clients that are still sending. */
import type { Guard } from './guard.ts'

const refusals = 'test/server/refusals.test.ts'
const http = 'server-fixture/http'

export const guards: readonly Guard[] = [
  {
    name: 'the rest of a refused HTTP/2 request is dropped before its stream closes',
    file: `${http}/exchange.ts`,
    from: 'drainStream(stream)',
    to: 'stream.close(0)',
    tests: [refusals]
  },
  {
    name: 'an HTTP/1.1 connection is not destroyed while a refused request still comes',
    file: `${http}/exchange.ts`,
    from: 'drained = drainRequest(request).then(() => void response.end())',
    to: 'response.end(() => request.destroy())',
    tests: [refusals]
  },
  {
    name: 'an answer to HEAD has no body',
    file: `${http}/exchange.ts`,
    from: "method === 'HEAD' || status === 204",
    to: 'status === 204',
    tests: [refusals]
  },
  {
    name: 'an answer to HTTP/1.1 tells its length',
    file: `${http}/exchange.ts`,
    from: "{ 'content-length': body?.length ?? 0 }",
    to: '{}',
    tests: [refusals],
    mayHang: true
  },
  {
    name: 'a request longer than the server drops is told that the connection ends',
    file: `${http}/exchange.ts`,
    from: 'exceedsDrain(request) ?',
    to: 'false ?',
    tests: [refusals]
  },
  {
    name: 'a client that waits with its body is not asked for it before the request is looked at',
    file: `${http}/http-server.ts`,
    from: "  serving.on('checkContinue', takeHttp1)\n",
    to: '',
    tests: [refusals]
  },
  {
    name: 'a client that waits with its body is asked for it where it is read',
    file: `${http}/exchange.ts`,
    from: 'response.writeContinue()',
    to: '{}',
    tests: [refusals],
    mayHang: true
  },
  {
    name: 'the dropped bytes of a request are bounded',
    file: `${http}/drain.ts`,
    from: 'if (leftBytes < 0) onBound()',
    to: '',
    tests: [refusals]
  },
  {
    name: 'the time of dropping a request is bounded',
    file: `${http}/drain.ts`,
    from: 'setTimeout(onBound, maxDrainMs)',
    to: 'setTimeout(() => {}, maxDrainMs)',
    tests: [refusals]
  },
  {
    name: 'a session that fails is read until its client ends it',
    file: `${http}/session.ts`,
    from: 'drainStream(this.#output)',
    to: 'this.#output.close(0)',
    tests: [refusals]
  },
  {
    name: 'a gRPC call that is refused at once is read to its end',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: 'if (stream.headersSent && !stream.endAfterHeaders) drainStream(stream)',
    to: '',
    tests: [refusals]
  },
  {
    name: 'a gRPC call without a token is read to its end',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: '              drainStream(arrival.stream)\n',
    to: '              arrival.stream.close(0)\n',
    tests: [refusals]
  },
  {
    name: 'a request that cannot be read is dropped while it comes',
    file: `${http}/drain.ts`,
    from: "  socket.removeAllListeners('data')\n",
    to: '',
    tests: [refusals]
  },
  {
    name: 'a request that was answered gets no second answer',
    file: `${http}/client-errors.ts`,
    from: 'if (isAnswering || !socket.writable)',
    to: 'if (!socket.writable)',
    tests: [refusals]
  }
]
