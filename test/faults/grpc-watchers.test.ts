import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '@grpc/grpc-js'
import { createClient } from '../../src/index.ts'
import { failureOf } from '../support/faulty-network.ts'

test('grpc: sessions that find nobody leave nothing behind on the channel', async (context) => {
  // grpc-js has no way to take such a question back: it is kept until there is a connection.
  let questions = 0
  const { waitForReady } = Client.prototype
  context.mock.method(
    Client.prototype,
    'waitForReady',
    function (this: Client, ...[deadline, answer]: Parameters<typeof waitForReady>) {
      questions++
      return waitForReady.call(this, deadline, (error) => {
        questions--
        answer(error)
      })
    }
  )
  const client = createClient({ endpoint: 'grpc://127.0.0.1:1', retry: false, breaker: false })
  for (let call = 0; call < 20; call++) {
    const { error } = await failureOf(client.storeBlob('demo', 'x'))
    assert.equal(error.code, 'unavailable')
  }
  await client.close()
  assert.equal(questions, 0)
})
