/** Guards of gRPC and gRPC-Web on the HTTP port, and of health checks and reflection there. */
import type { Guard } from './guard.ts'

const directory = 'server-fixture/grpc-http'
const http = 'server-fixture/http'
const tests = ['test/server/grpc-http.test.ts']
const standard = ['test/server/standard-services.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a page of another origin has the trailers of its session, too',
    file: `${http}/cors.ts`,
    from: 'exchange.open(status, headersOf(headers), trailers)',
    to: 'exchange.open(status, headersOf(headers))',
    tests,
    mayHang: true
  },
  {
    name: 'grpc: messages are percent-encoded',
    file: `${directory}/trailers.ts`,
    from: "'grpc-message': encodeMessage(message)",
    to: "'grpc-message': encodeURI(message).slice(0, 5)",
    tests
  },
  {
    name: 'grpc: errors have their details',
    file: `${directory}/trailers.ts`,
    from: "    'grpc-status-details-bin': details,\n",
    to: '',
    tests
  },
  {
    name: 'grpc: a unary call waits no longer than its client for the message',
    file: `${directory}/unary.ts`,
    from: 'Math.min(timeoutMs, bodyTimeoutMs)',
    to: 'bodyTimeoutMs',
    tests,
    mayHang: true
  },
  {
    name: 'a deadline ends an upload',
    file: 'server-fixture/transfers/transfer.ts',
    from: "    bounds.deadline?.addEventListener('abort', this.#onDeadline)\n",
    to: '',
    tests,
    mayHang: true
  },
  {
    name: 'a deadline ends a session',
    file: `${http}/session.ts`,
    from: "    deadline?.addEventListener('abort', () => session.fail(deadline.reason))\n",
    to: '',
    tests,
    mayHang: true
  },
  {
    name: 'a deadline ends a watch',
    file: 'server-fixture/transfers/watch-output.ts',
    from: "    deadline?.addEventListener('abort', onDeadline)\n",
    to: '',
    tests,
    mayHang: true
  },
  {
    name: 'grpc: a unary call has one message',
    file: `${directory}/unary.ts`,
    from: 'if (payload.length > lengthIn(body))',
    to: 'if (payload.length < 0)',
    tests
  },
  {
    name: 'grpc: a message that is cut off is none',
    file: `${directory}/unary.ts`,
    from: 'body.length < envelopeHeaderBytes || payload.length < lengthIn(body)',
    to: 'body.length < envelopeHeaderBytes',
    tests
  },
  {
    name: 'grpc: unary messages that are compressed are decompressed',
    file: `${directory}/unary.ts`,
    from: 'const message = await inflate(payload, { encoding, maxBytes, charge })',
    to: 'const message = payload',
    tests
  },
  {
    name: 'grpc-web-text: damaged bodies are refused with a status',
    file: `${directory}/text-exchange.ts`,
    from: "    if (noBase64.test(text)) return done(malformed('the body is not base64'))\n",
    to: '',
    tests
  },
  {
    name: 'grpc-web-text: padding ends a part, not the body',
    file: `${directory}/text-exchange.ts`,
    from: '.split(/(?<==)(?!=)/)',
    to: ".split('\\n')",
    tests
  },
  {
    name: 'grpc-web-text: the length is that of the text',
    file: `${directory}/text-exchange.ts`,
    from: "text ? { ...headers, 'content-length': String(text.length) } : headers",
    to: 'headers',
    tests
  },
  {
    name: 'grpc-web-text: the rest of a body that is refused is read',
    file: `${directory}/text-exchange.ts`,
    from: '      decoder?.destroy()\n    },',
    to: '    },',
    tests,
    mayHang: true
  },
  {
    name: 'grpc-web-text: a client that leaves is no error of its connection',
    file: `${directory}/text-exchange.ts`,
    from: 'encoder.readableEnded || stream.destroy()',
    to: 'stream.destroy(new Error())',
    tests
  },
  {
    name: 'grpc-web-text: text that waits for the store counts as unread',
    file: `${directory}/text-exchange.ts`,
    from: "Object.defineProperty(decoder, 'readableLength', { get: () => body.readableLength })",
    to: '',
    tests
  },
  {
    name: 'a deadline ends a watch of health',
    file: `${directory}/standard-route.ts`,
    from: "deadline?.addEventListener('abort', () => end(deadline.reason))",
    to: '',
    tests,
    mayHang: true
  },
  {
    name: 'grpc: answers tell the encodings that the server takes',
    file: `${http}/message-stream.ts`,
    from: '[protocol.acceptHeader]: acceptedEncodings }',
    to: '}',
    tests
  },
  {
    name: 'an empty message is not compressed, whatever is told of it',
    file: 'server-fixture/inflate.ts',
    from: 'if (bytes.length === 0) return bytes',
    to: '',
    tests
  },
  {
    name: 'the rest of a request whose answer is a stream is read, so that its connection is free',
    file: `${http}/exchange.ts`,
    from: 'if (!request.complete) drained = drainRequest(request)',
    to: '',
    tests: standard,
    mayHang: true
  },
  {
    name: 'a conversation that nobody reads ends',
    file: `${directory}/standard-route.ts`,
    from: 'if (room) queueMicrotask(() => transfer.free())',
    to: '',
    tests: standard,
    mayHang: true
  },
  {
    name: 'the tables of reflection are made when somebody asks',
    file: 'server-fixture/grpc/reflection.ts',
    from: 'servicesOf(new Reflection({})).map',
    to: 'servicesOf(new Reflection(loadProto())).map',
    tests: standard
  },
  {
    name: 'reflection is the same for all servers of a process',
    file: 'server-fixture/grpc/reflection.ts',
    from: '  shared ??= ',
    to: '  shared = ',
    tests: standard
  },
  {
    name: 'watches of health are not idle',
    file: 'server-fixture/grpc/standard-services.ts',
    from: 'setInterval(set, idleTimeoutMs / 2).unref()',
    to: 'undefined',
    tests: standard
  },
  {
    name: 'names that are watched, and that nobody knows, are not kept',
    file: 'server-fixture/grpc/standard-services.ts',
    from: 'if (checked.includes(service)) watch(call)',
    to: 'if (service !== undefined) watch(call)',
    tests: standard
  },
  {
    name: 'OPTIONS on health checks is answered',
    file: `${directory}/standard-route.ts`,
    from: "respondAllow(exchange, { allow: 'POST, OPTIONS'",
    to: "exchange.respond(405, { allow: 'POST, OPTIONS'",
    tests: standard
  },
  {
    name: 'a stream that decodes may end with the error of its bytes',
    file: 'server-fixture/transfers/consume.ts',
    from: 'error instanceof BlobwireError ? error : clientGone()',
    to: 'clientGone()',
    tests
  },
  {
    name: 'callers of reflection have little room',
    file: `${directory}/standard-route.ts`,
    from: 'maxBatchBytes: maxAnonymousBytes,',
    to: 'maxBatchBytes: 1e6,',
    tests: standard
  },
  {
    name: 'callers of health over Connect have little room',
    file: `${directory}/standard-route.ts`,
    from: 'readBody(exchange, { maxBytes: maxAnonymousBytes,',
    to: 'readBody(exchange, { maxBytes: 1e6,',
    tests: standard
  },
  {
    name: 'protobuf: chunks of blobs are not copied',
    file: 'src/codec/protobuf-codec.ts',
    from: 'chunk.length < pieceBytes',
    to: 'chunk.length < 1e9',
    tests: ['test/codec/chunk-messages.test.ts']
  }
]
