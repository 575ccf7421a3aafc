/** Guards of reach: the hosts that a token goes to, the names that refs may have, and the protocol that is spoken. */
import type { Guard } from './guard.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a token goes to no gRPC host that a server names alone',
    file: 'src/client/transport-factory.ts',
    from: '      this.#checkHost(named, endpoint)\n',
    to: '',
    tests: ['test/connection/reach.test.ts']
  },
  {
    name: 'this machine is not the same host as any other',
    file: 'src/client/transport-factory.ts',
    from: 'isLoopback(one) && isLoopback(other)',
    to: 'isLoopback(other)',
    tests: ['test/connection/reach.test.ts']
  },
  {
    name: 'a gRPC host that is given as another endpoint is used',
    file: 'src/client/transport-factory.ts',
    from: '[asked, ...this.#options.endpoints.values()]',
    to: '[asked]',
    tests: ['test/connection/reach.test.ts']
  },
  {
    name: 'no branch is made that Git would take for an option or for HEAD',
    file: 'src/git/ref-name.ts',
    from: 'return \'must not be a branch that is HEAD or begins with "-"\'',
    to: 'return undefined',
    tests: ['test/server/ref-names.test.ts']
  },
  {
    name: 'refs that have such names are read and deleted',
    file: 'server-fixture/service/refs.ts',
    from: 'isZeroOid(newOid) ? refFormatProblem(text) : refNameProblem(text)',
    to: 'refNameProblem(text)',
    tests: ['test/server/ref-names.test.ts']
  },
  {
    name: 'the server refuses names of refs in updates',
    file: 'server-fixture/service/refs.ts',
    from: 'const problem = isZeroOid(newOid) ? refFormatProblem(text)',
    to: 'const problem = name !== undefined ? undefined',
    tests: ['test/server/ref-names.test.ts']
  },
  {
    name: 'the server refuses prefixes that no ref has',
    file: 'server-fixture/service/refs.ts',
    from: "  if (problem !== undefined) throw invalidArgument('prefix', problem)\n",
    to: '',
    tests: ['test/server/ref-names.test.ts']
  },
  {
    name: 'the client refuses names of refs before it sends',
    file: 'src/client/other-shapes.ts',
    from: "  if (problem !== undefined) throw new FieldProblem(problem).within('name')\n",
    to: '',
    tests: ['test/server/ref-names.test.ts']
  },
  {
    name: 'the client refuses prefixes that no ref has',
    file: 'src/client/other-shapes.ts',
    from: '  if (problem !== undefined) throw new FieldProblem(problem)\n',
    to: '',
    tests: ['test/server/ref-names.test.ts']
  },
  {
    name: 'noise is not HTTP/1.1',
    file: 'src/connection/http2/http1-probe.ts',
    from: 'return statusLine.test(answer)',
    to: 'return true',
    tests: ['test/faults/noise.test.ts']
  },
  {
    name: 'only a whole status line is HTTP/1.1',
    file: 'src/connection/http2/http1-probe.ts',
    from: '/^HTTP\\/1\\.[01] [1-5]\\d\\d[ \\r]/',
    to: '/^HTTP\\/1\\./',
    tests: ['test/faults/noise.test.ts']
  },
  {
    name: 'noise before HTTP/2 is a broken connection, and no violation of the protocol',
    file: 'src/connection/http2/http1-probe.ts',
    from: 'if (codes.has(code)) return new NotHttp2(error)',
    to: 'if (codes.has(code)) return error',
    tests: ['test/faults/noise.test.ts']
  },
  {
    name: 'a server that ignores SETTINGS, and so may push, is left',
    file: 'src/connection/http2/connection.ts',
    from: 'else if (session.pendingSettingsAck) socket.destroy(settingsIgnored(options.connectTimeoutMs))',
    to: '',
    tests: ['test/faults/pushed-streams.test.ts'],
    mayHang: true
  }
]
