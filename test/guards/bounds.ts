/** Guards of the server's bounds: callers, bytes and time. */
import type { Guard } from './guard.ts'

const beforeReading = 'test/server/before-reading.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a gRPC caller is refused by the metadata, before a message is read',
    file: 'server-fixture/grpc/incoming-calls.ts',
    from: "    const principal = authenticator.authenticate(rpc, metadataValue(metadata, 'authorization'))\n",
    to: "    const principal = authenticator.authenticate('GetCapabilities', undefined)\n",
    tests: [beforeReading]
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
  }
]
