/** Guards of uploads and downloads in the listeners. */
import type { Guard } from './guard.ts'

const transfers = 'server-fixture/transfers'
const http = 'server-fixture/http'
const peers = 'test/large/transfer-peers.test.ts'
const grpcPeers = 'test/large/grpc-peers.test.ts'
const uploads = 'test/large/http-uploads.test.ts'
const reads = 'test/large/http-reads.test.ts'
const streams = 'test/large/message-streams.test.ts'
const edges = 'test/large/http-edges.test.ts'
const order = 'test/large/consume.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a download whose last bytes nobody reads ends',
    file: `${transfers}/output.ts`,
    from: "=== 'stalled') this.#stream.destroy()",
    to: "=== 'stalled') return",
    tests: ['test/large/output.test.ts'],
    mayHang: true
  },
  {
    name: 'messages that have begun are in the budget',
    file: `${http}/message-stream.ts`,
    from: 'begunBytes += chunk.length',
    to: 'begunBytes += 0',
    tests: ['test/large/partial-messages.test.ts'],
    mayHang: true
  },
  {
    name: 'a range is for the content that the client names',
    file: `${http}/blob-route.ts`,
    from: '    if (isAnother(exchange, etag)) return exchange.respond(412, shared)\n',
    to: '',
    tests: [edges]
  },
  {
    name: 'an answer to HEAD is that to GET without a range',
    file: `${http}/byte-range.ts`,
    from: "  if (exchange.method !== 'GET') return undefined\n",
    to: '',
    tests: [edges]
  },
  {
    name: 'an answer without content has no length',
    file: `${http}/exchange.ts`,
    from: "method === 'HEAD' || status === 204 ||",
    to: "method === 'HEAD' ||",
    tests: [edges]
  },
  {
    name: 'a digest that cannot be compared is refused',
    file: `${http}/upload-headers.ts`,
    from: 'digest === undefined && /(?:^|,)',
    to: 'digest !== undefined && /(?:^|,)',
    tests: [edges]
  },
  {
    name: 'the error of the last item of an upload is not lost where its stream has ended',
    file: `${transfers}/consume.ts`,
    from: 'taking.then(tell, (failure) => reject(error ?? failure))',
    to: 'taking.then(tell, tell)',
    tests: [order]
  },
  {
    name: 'an upload that was cut before it was opened is not read as if it were whole',
    file: `${transfers}/consume.ts`,
    from: '    if (input.aborted) return onCut()\n',
    to: '',
    tests: [order]
  },
  {
    name: 'an upload is released once the store has taken what it was given',
    file: `${transfers}/consume.ts`,
    from: 'if (taking === undefined) tell()',
    to: 'if (taking !== null) tell()',
    tests: [order]
  },
  {
    name: 'an upload is read at the pace of its store',
    file: `${transfers}/consume.ts`,
    from: '      input.pause()\n',
    to: '',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a slow store is no stalled client',
    file: `${transfers}/consume.ts`,
    from: '      transfer.hold()\n',
    to: '',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a transfer of which nothing comes ends',
    file: `${transfers}/transfer.ts`,
    from: "    this.abort(new BlobwireError({ reason: 'stalled', message }))\n",
    to: '',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a transfer ends in time where the server closes',
    file: `${transfers}/transfer.ts`,
    from: "      this.abort(new BlobwireError({ reason: 'store_closed', message }))\n",
    to: '',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a transfer has a share of the budget of bytes',
    file: `${transfers}/transfer.ts`,
    from: 'this.#charge.add(heldChunks * bounds.chunkBytes)',
    to: 'this.#charge.add(0)',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'bytes of uploads that wait in windows are counted',
    file: `${transfers}/transfer.ts`,
    from: '    unread.add(this.#unread)\n',
    to: '',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a download goes no further than its client reads',
    file: `${transfers}/output.ts`,
    from: 'return this.#waitingBytes > this.#maxWaitingBytes ? this.#waitForRoom() : undefined',
    to: 'return undefined',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a message of an upload is written where it says',
    file: `${transfers}/upload-messages.ts`,
    from: 'if (message.offset !== upload.offset) {',
    to: 'if (message.offset < 0) {',
    tests: [streams],
    mayHang: true
  },
  {
    name: 'an upload over Connect is answered at its last message',
    file: `${http}/upload-stream.ts`,
    from: 'const isComplete = () => upload.response !== undefined',
    to: 'const isComplete = () => false',
    tests: [streams],
    mayHang: true
  },
  {
    name: 'an upload of unknown size is complete once its client has confirmed that it is still there',
    file: `${http}/upload-content.ts`,
    from: '    if (!isSure && !(await exchange.isWhole())) throw clientGone()\n',
    to: '',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'an upload that nobody can go on with is removed when it is cut',
    file: `${http}/upload-route.ts`,
    from: 'if (!isTold) await call(',
    to: 'if (isTold) await call(',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'an offset that a client was told is one at which it can go on',
    file: `${http}/running-uploads.ts`,
    from: "  transfer?.abort(new BlobwireError({ reason: 'upload_taken_over', message }))\n  return transfer?.ended\n",
    to: '  return message === undefined ? transfer?.ended : undefined\n',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a client that can go on is told where the upload is before it has sent its bytes',
    file: `${http}/upload-content.ts`,
    from: '    onOpen()\n',
    to: '',
    tests: [uploads],
    mayHang: true
  },
  {
    name: 'trailers of a short upload are not missed',
    file: `${http}/upload-route.ts`,
    from: '  const request = { ...context, ...address, exchange, trailers: exchange.watchTrailers() }\n',
    to: '  await new Promise((resolve) => setTimeout(resolve, 500))\n  const request = { ...context, ...address, exchange, trailers: exchange.watchTrailers() }\n',
    tests: [uploads],
    mayHang: true
  },
  {
    name: 'a refusal of a wrong offset tells the right one',
    file: `${http}/upload-route.ts`,
    from: "{ 'upload-offset': String(offset), 'upload-complete': complete ? '?1' : '?0' }",
    to: '{}',
    tests: [uploads]
  },
  {
    name: 'an upload over HTTP/1.1 takes as long as it takes',
    file: `${http}/http-server.ts`,
    from: 'requestTimeout: 0,',
    to: 'requestTimeout: headersTimeoutMs + options.bodyTimeoutMs,',
    tests: [peers],
    mayHang: true
  },
  {
    name: 'a blob that is damaged never arrives whole over HTTP',
    file: `${http}/blob-route.ts`,
    from: '    stream?.destroy()\n',
    to: '',
    tests: ['test/server/damage.test.ts'],
    mayHang: true
  },
  {
    name: 'a digest of a range does not begin behind the range',
    file: `${http}/blob-route.ts`,
    from: ' || Number(text) > start',
    to: '',
    tests: [reads]
  },
  {
    name: 'a browser runs no script of stored content',
    file: `${http}/content-types.ts`,
    from: "    'content-security-policy': 'sandbox'\n",
    to: '',
    tests: [reads]
  },
  {
    name: 'an upload over gRPC: the store has taken a piece before the next one is',
    file: 'server-fixture/grpc/upload.ts',
    from: 'if (taken) return taken.then(() => takeFrom(index + 1))',
    to: 'if (taken) void taken.then(() => undefined)',
    tests: [grpcPeers],
    mayHang: true
  },
  {
    name: 'an upload over gRPC: grpc-js reads nothing of it',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: "return stream.removeAllListeners('data')",
    to: 'return stream',
    tests: [streams],
    mayHang: true
  },
  {
    name: 'an upload over gRPC: a stream does not end within a message',
    file: 'server-fixture/grpc/upload.ts',
    from: 'if (messages.incomplete && !isComplete()) {',
    to: 'if (false) {',
    tests: [grpcPeers]
  },
  {
    name: 'an upload over gRPC: a message that has to be put together is charged',
    file: 'server-fixture/grpc/upload.ts',
    from: '    if (messages.heldBytes > 0) charge.add(messages.heldBytes)\n',
    to: '',
    tests: [grpcPeers]
  }
]
