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
  }
]
