/** What a file of faults may hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FaultScriptError, readFaultScript } from '../../server-fixture/faults/rules.ts'

const wrong: [script: unknown, message: RegExp][] = [
  ['{', /is not JSON/],
  [[], /must be an object with rules/],
  [
    { rules: [{ rpc: 'Store', fault: { kind: 'silence' } }] },
    /rules\[0\].rpc: must be \*, or names of RPCs: CreateRepository/
  ],
  [{ rules: [{ rpc: '*', fault: { kind: 'fire' } }] }, /rules\[0\].fault.kind: must be one of delay, status/],
  [
    { rules: [{ rpc: '*', fault: { kind: 'delay' } }] },
    /rules\[0\].fault.ms: must be a number from 0 up, not undefined/
  ],
  [{ rules: [{ rpc: '*', fault: { kind: 'status', code: 'bad' } }] }, /fault.code: must be one of cancelled/],
  [
    { rules: [{ rpc: '*', probability: 2, fault: { kind: 'silence' } }] },
    /probability: must be a number from 0 to 1, not 2/
  ],
  [
    { rules: [{ rpc: '*', often: 2, fault: { kind: 'silence' } }] },
    /rules\[0\].often: there is no such field; there are rpc/
  ]
]

for (const [script, message] of wrong) {
  test(`a script that cannot be used: ${message.source}`, () => {
    const text = typeof script === 'string' ? script : JSON.stringify(script)
    assert.throws(
      () => readFaultScript(text),
      (error) => {
        return error instanceof FaultScriptError && message.test(error.message)
      }
    )
  })
}
