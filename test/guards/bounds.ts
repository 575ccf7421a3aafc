/** Guards of the server's bounds: callers, bytes and time. */
import type { Guard } from './guard.ts'

const budget = 'test/server/memory-budget.test.ts'
const beforeReading = 'test/server/before-reading.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a gRPC caller is refused by the metadata, before a message is read',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: "    const principal = authenticator.authenticate(rpc, metadataValue(metadata, 'authorization'))\n",
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
    tests: [budget]
  },
  {
    name: 'a body is charged as it comes',
    file: 'server-fixture/http/request-body.ts',
    from: '        charge.add(chunk.length)\n',
    to: '',
    tests: [budget],
    mayHang: true
  },
  {
    name: 'a gRPC message is charged as it comes',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: '        incoming.charge.add(chunk.length)\n',
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
  }
]
