// For tests of programs that use blobwire: a service in the process, with or without sockets, with faults on command.
import '../src/check-node.cts'

export type { Effect } from '../server-fixture/faults/effects.ts'
export { Faults } from '../server-fixture/faults/faults.ts'
export type { Fault, FaultRule, FaultScript } from '../server-fixture/faults/rules.ts'
export { FaultScriptError } from '../server-fixture/faults/rules.ts'
export { startTestServer, type TestServer, type TestServerOptions } from './test-server.ts'
export {
  createTestClient,
  createTestService,
  type TestClientOptions,
  type TestService,
  type TestServiceOptions,
  type WithService
} from './test-service.ts'
