/** Keys of calls: how they are made and checked, and servers that do not know them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operationError, requestError } from '../../src/batch/older-server.ts'
import { derivedKey, newRequestKey } from '../../src/client/request-key.ts'
import { rulesOutSession, rulesOutTransport } from '../../src/core/reasons.ts'
import { BlobwireError } from '../../src/index.ts'
import { methods } from '../../src/schema/methods.ts'
import { atEnd, testServer } from '../support/server.ts'

test('a key has 128 bits in 22 characters, and parts have keys of their own within 64', () => {
  const keys = new Set(Array.from({ length: 1000 }, newRequestKey))
  assert.equal(keys.size, 1000)
  for (const key of keys) assert.match(key, /^[A-Za-z0-9_-]{22}$/)
  const long = 'x'.repeat(64)
  const derived = [derivedKey('job', 1), derivedKey('job', 2), derivedKey(long, 1), derivedKey(`${long.slice(1)}y`, 1)]
  assert.equal(new Set(derived).size, 4)
  for (const key of derived) assert.match(key, /^[A-Za-z0-9_-]{1,64}$/)
})

test('what cannot be a key is refused before anything is sent', async (context) => {
  const client = atEnd(context, await testServer()).client()
  const repo = client.repository('demo')
  const wrong = { code: 'invalid_argument' }
  for (const requestKey of ['', 'a b', 'a.b', 'x'.repeat(65), 7 as unknown as string]) {
    await assert.rejects(repo.createRepository({ requestKey }), wrong)
    await assert.rejects(repo.deleteRepository({ requestKey }), wrong)
    await assert.rejects(repo.updateRefs([], { requestKey }), wrong)
  }
  assert.equal(client.stats().attempts, 0)
  await repo.createRepository()
  const updateRefs = { updates: [], requestKey: 'mine' }
  await assert.rejects(repo.batch([{ updateRefs }], { atomic: true }), wrong)
  await assert.rejects(repo.batch([{ updateRefs: { updates: [], requestKey: 'a b' } }]), wrong)
})

test('a server that is too old for keys is told of; no other transport is tried for that', () => {
  const call = {
    method: methods.updateRefs,
    request: {},
    headers: {},
    signal: new AbortController().signal,
    remainingMs: () => 1,
    requestKey: 'k'
  }
  const unimplemented = { code: 'unimplemented', sent: 'processed', requestId: 'id' } as const
  const refusals = [
    requestError(new BlobwireError({ ...unimplemented, message: 'Apply is not a unary method of this service' }), call),
    requestError(
      new BlobwireError({
        ...unimplemented,
        requestId: undefined,
        message: 'The server does not implement the method'
      }),
      call
    ),
    operationError(
      new BlobwireError({
        code: 'invalid_argument',
        message: 'operation must have one of',
        details: { violations: [{ field: 'operation', description: 'must have one of' }] }
      }),
      'updateRefs',
      true
    )
  ]
  for (const error of refusals) {
    assert.deepEqual([error.code, error.reason], ['unimplemented', 'no_request_keys'])
    assert.match(error.message, /too old for request keys/)
    assert.deepEqual([rulesOutTransport('grpc', error), rulesOutSession(error)], [false, false])
  }
  // A proxy that does not know the path is none of that.
  const proxy = new BlobwireError({ code: 'unimplemented', message: 'HTTP status 404', sent: 'processed' })
  assert.equal(requestError(proxy, call), proxy)
})
