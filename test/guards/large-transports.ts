/** Guards of the transports of large blobs, and of their connections. */
import type { Guard } from './guard.ts'

const stream = 'src/connection/http2/transfer-stream.ts'
const pool = 'src/connection/http2/transfer-pool.ts'
const connection = 'src/connection/http2/transfer-connection.ts'
const range = 'src/transport/incoming-range.ts'
const httpDownload = 'src/transport/http/download.ts'
const httpUpload = 'src/transport/http/upload.ts'
const grpcDownload = 'src/transport/grpc/download.ts'
const grpcUpload = 'src/transport/grpc/upload.ts'

const answers = 'test/transport/transfer-answers.test.ts'
const grpcAnswers = 'test/transport/grpc-transfer-answers.test.ts'
const forms = 'test/transport/transfers.test.ts'
const connections = 'test/connection/transfer-connections.test.ts'
const faults = 'test/faults/transfers.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a download: the blob that was asked for',
    file: range,
    from: "  if (asked !== '' && oid !== asked) throw lie(",
    to: '  if (false) throw lie(',
    tests: [answers, grpcAnswers]
  },
  {
    name: 'a download: the range that was asked for',
    file: range,
    from: 'if (start === offset && end === expectedEnd && start <= end) return',
    to: 'if (start <= end) return',
    tests: [answers]
  },
  {
    name: 'a download: no range beyond the end of the blob',
    file: range,
    from: ' && start <= end) return',
    to: ') return',
    tests: [grpcAnswers]
  },
  {
    name: 'a download: fewer bytes than the range are an error',
    file: range,
    from: '    if (left > 0) throw brokenOff(left)\n',
    to: '',
    tests: [answers, grpcAnswers]
  },
  {
    name: 'a download: more bytes than the range are an error',
    file: range,
    from: '      if (left < 0) throw',
    to: '      if (false) throw',
    tests: [answers, grpcAnswers]
  },
  {
    name: 'a download over gRPC: each chunk at its offset',
    file: grpcDownload,
    from: 'if (offset !== this.#offset) {',
    to: 'if (false) {',
    tests: [grpcAnswers]
  },
  {
    name: 'an answer over gRPC: its status is told by trailers',
    file: 'src/transport/grpc/transfer.ts',
    from: '  if (error) throw error\n}',
    to: '}',
    tests: [grpcAnswers]
  },
  {
    name: 'an upload over gRPC goes on when the answer begins',
    file: stream,
    from: 'if (!this.#request.isDuplex) this.#stopSending()',
    to: 'this.#stopSending()',
    tests: [grpcAnswers],
    mayHang: true
  },
  {
    name: 'a chunk that is not the last field of its message is put together',
    file: 'src/codec/chunk-messages.ts',
    from: 'return at + length === end && at <= bytes.length ?',
    to: 'return at <= bytes.length ?',
    tests: ['test/codec/chunk-messages.test.ts']
  },
  {
    name: 'a blob is complete with the last byte of its last chunk',
    file: 'src/codec/chunk-messages.ts',
    from: "    if ('complete' in message && message.complete) return undefined\n",
    to: '',
    tests: ['test/codec/chunk-messages.test.ts']
  },
  {
    name: 'a download over HTTP: the whole blob is no range',
    file: httpDownload,
    from: "  if (status !== 206) throw malformedResponse('the whole",
    to: "  if (false) throw malformedResponse('the whole",
    tests: [answers]
  },
  {
    name: 'a download over HTTP: its length is told',
    file: httpDownload,
    from: '  if (length === undefined) throw',
    to: '  if (false) throw',
    tests: [answers]
  },
  {
    name: 'a download over HTTP: an answer that nobody reads ends',
    file: httpDownload,
    from: '    response.discard()\n',
    to: '',
    tests: [answers]
  },
  {
    name: 'an upload over HTTP/1.1: another request tells the digests',
    file: httpUpload,
    from: "endsLater = version === 1 && oid === ''",
    to: 'endsLater = false',
    tests: [forms]
  },
  {
    name: 'an upload over gRPC: messages that any server takes',
    file: grpcUpload,
    from: 'const maxChunkBytes = 256 * 1024',
    to: 'const maxChunkBytes = 256 * 1024 * 1024',
    tests: [forms]
  },
  {
    name: 'an upload: the source waits for the connection',
    file: 'src/connection/held-bytes.ts',
    from: 'if (this.#bytes < maxHeldBytes || this.#isStopped) return undefined',
    to: 'if (this.#bytes < Number.POSITIVE_INFINITY || this.#isStopped) return undefined',
    tests: [faults],
    mayHang: true
  },
  {
    name: 'an upload: the source is told of the end',
    file: stream,
    from: '    this.#source?.return?.().catch(() => undefined)\n',
    to: '',
    tests: [faults],
    mayHang: true
  },
  {
    name: 'a download: a reader that reads no more holds no more than the window',
    file: stream,
    from: '      if (waiting.length >= maxWaitingChunks) stream.pause()\n',
    to: '',
    tests: [faults],
    mayHang: true
  },
  {
    name: 'a transfer that is over leaves no listener at its signal',
    file: stream,
    from: "    this.#request.signal.removeEventListener('abort', this.#abort)\n",
    to: '',
    tests: [faults]
  },
  {
    name: 'a transfer that waits for a connection ends with its signal',
    file: pool,
    from: "  signal.addEventListener('abort', abort)\n",
    to: '',
    tests: [faults]
  },
  {
    name: 'each transfer has a connection to itself',
    file: pool,
    from: '(isEnough || best.inFlight === 0)',
    to: '(isEnough || best.inFlight >= 0)',
    tests: [connections]
  },
  {
    name: 'no more connections for transfers than maxTransferConnections',
    file: pool,
    from: '>= this.#context.options.maxTransferConnections',
    to: '>= 1000',
    tests: [connections]
  },
  {
    name: 'a connection for transfers drains at a GOAWAY',
    file: connection,
    from: "    session.on('goaway', () => this.drain())\n",
    to: '',
    tests: [connections],
    mayHang: true
  },
  {
    name: 'a connection for transfers closes when it was idle for long',
    file: connection,
    from: 'this.#cancelIdle = clock.schedule(options.idleTimeoutMs, () => this.drain())',
    to: 'this.#cancelIdle = undefined',
    tests: [connections],
    mayHang: true
  },
  {
    name: 'a connection for transfers drains when it is old',
    file: connection,
    from: 'clock.schedule(options.maxAgeMs, () => this.drain())',
    to: '() => undefined',
    tests: [connections],
    mayHang: true
  },
  {
    name: 'a connection that sends is alive',
    file: 'src/connection/http2/busy-socket.ts',
    from: 'return bytesRead + this.#provenBytes',
    to: 'return bytesRead',
    tests: [connections]
  },
  {
    name: 'a connection whose kernel takes a PING is not alive for that',
    file: 'src/connection/http2/busy-socket.ts',
    from: 'if (this.#wasFull) this',
    to: 'if (true) this',
    tests: [connections]
  }
]
