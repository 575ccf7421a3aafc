import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Credentials } from '../../src/call/credentials.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { failureOf } from '../support/faulty-network.ts'

test('a token source that never answers times out, and the next request asks the source again', async () => {
  const clock = new FakeClock()
  let asked = 0
  const source = () => (++asked === 1 ? new Promise<string>(() => undefined) : 'good')
  const credentials = new Credentials(source, clock, 1000)
  const failures = [failureOf(credentials.addTo({})), failureOf(credentials.addTo({}))]
  clock.advance(1000)
  for (const { error } of await Promise.all(failures)) {
    assert.deepEqual([error.code, error.reason, error.sent], ['unauthenticated', 'token_source', 'never'])
  }
  assert.deepEqual(await credentials.addTo({}), { authorization: 'Bearer good' })
  assert.equal(asked, 2)
  assert.equal(clock.pending, 0)
})
