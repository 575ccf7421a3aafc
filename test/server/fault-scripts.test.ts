/** What a file of faults may hold, and what its seed decides. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { FaultScriptError, readFaultScript } from '../../server-fixture/faults/rules.ts'
import { atEnd, testServer } from '../support/server.ts'

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

test('a share of calls, and the same ones for the same seed', async (context) => {
  const pattern = async (seed: number) => {
    const faults = new Faults({
      seed,
      rules: [{ rpc: 'StoreBlob', probability: 0.5, fault: { kind: 'status', code: 'aborted' } }]
    })
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ batch: false, retry: false, breaker: false })
    await client.createRepository('demo')
    const ends: string[] = []
    for (let call = 0; call < 40; call++) {
      ends.push(
        await client.storeBlob('demo', `${call}`).then(
          () => '+',
          () => '-'
        )
      )
    }
    return ends.join('')
  }
  const [first, again, other] = [await pattern(7), await pattern(7), await pattern(8)]
  assert.equal(first, again)
  assert.notEqual(first, other)
  const failed = first.replaceAll('+', '').length
  assert.ok(failed > 8 && failed < 32, first)
})
