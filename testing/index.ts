// For tests of programs that use blobwire: a server with faults on command.
import '../src/check-node.cts'

export type { Effect } from '../server-fixture/faults/effects.ts'
export { Faults } from '../server-fixture/faults/faults.ts'
export type { Fault, FaultRule, FaultScript } from '../server-fixture/faults/rules.ts'
export { FaultScriptError } from '../server-fixture/faults/rules.ts'
