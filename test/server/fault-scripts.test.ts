/** Files of faults: invalid ones are refused, and a server process carries out valid ones. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Effect } from '../../server-fixture/faults/effects.ts'
import { FaultScriptError, readFaultScript } from '../../server-fixture/faults/rules.ts'
import { startServerProcess } from '../../server-fixture/process.ts'
import { blob, post, rule } from '../support/fault-harness.ts'

const wrong: [script: unknown, message: RegExp][] = [
  ['{', /must be JSON/],
  [[], /must be an object with a list of rules/],
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
    /rules\[0\].often: unknown field; expected one of rpc/
  ]
]

for (const [script, message] of wrong) {
  test(`an unusable script: ${message.source}`, () => {
    const text = typeof script === 'string' ? script : JSON.stringify(script)
    assert.throws(
      () => readFaultScript(text),
      (error) => {
        return error instanceof FaultScriptError && message.test(error.message)
      }
    )
  })
}

test('--faults and --effect-log, as a process', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-test-'))
  context.after(() => rm(directory, { recursive: true }))
  const [faults, log] = [join(directory, 'faults.json'), join(directory, 'effects')]
  await writeFile(faults, JSON.stringify({ rules: [rule({ kind: 'status', code: 'aborted' }, { count: 1 })] }))
  const server = await startServerProcess('--faults', faults, '--effect-log', log)
  context.after(() => server.stop())
  const http = connect(server.http)
  context.after(() => http.destroy())
  await post(http, 'CreateRepository', { repository: 'demo' })
  assert.equal((await post(http, 'StoreBlob', blob('a'))).status, 409)
  assert.equal((await post(http, 'StoreBlob', blob('a'))).status, 200)
  const lines = (await readFile(log, 'utf8')).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as Effect).kind),
    ['repository_created', 'object']
  )
})
