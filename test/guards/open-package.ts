/** Guards of the package: its server, and the entry points for tests. */
import type { Guard } from './guard.ts'

const testing = ['test/testing/test-service.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'open: a fault resets a call without a connection',
    file: 'server-fixture/faults/stream-registry.ts',
    from: '    this.#local.get(requestId)?.reset()\n',
    to: '',
    tests: testing,
    mayHang: true
  },
  {
    name: 'open: a call without sockets shows its token',
    file: 'testing/local-call.ts',
    from: "server.authenticator.authenticate(rpc, headers['authorization'])",
    to: '({ may: () => true })',
    tests: testing
  },
  {
    name: 'open: a call without sockets ends at its deadline on the server, too',
    file: 'testing/local-call.ts',
    from: 'const close = () => found.stream.close()',
    to: 'const close = () => undefined',
    tests: testing,
    mayHang: true
  }
]
