/** Errors as text, as JSON and in other processes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { BlobwireError, type BlobwireErrorInit, invalidArgument } from '../../src/core/error.ts'

const cause = Object.assign(new TypeError('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const full = () =>
  new BlobwireError({
    reason: 'ref_mismatch',
    message: 'refs/heads/main has moved',
    sent: 'processed',
    attempts: 2,
    transport: 'msgpack',
    endpoint: 'http://127.0.0.1:4100',
    method: 'updateRefs',
    requestId: 'r-1',
    details: { refMismatches: [{ name: 'refs/heads/main', expectedOid: 'a', foundOid: 'b' }] },
    cause: new BlobwireError({ code: 'unavailable', message: 'down', cause })
  })

test('the message begins with method and endpoint, once', () => {
  const message = 'updateRefs at http://127.0.0.1:4100: refs/heads/main has moved'
  assert.equal(full().message, message)
  assert.equal(full().with({ attempts: 3 }).message, message)
  assert.equal(full().with({ method: 'batch' }).message, message.replace('updateRefs', 'batch'))
  assert.equal(full().with({ endpoint: undefined }).message, 'updateRefs: refs/heads/main has moved')
  assert.equal(new BlobwireError({ message: 'x', endpoint: 'http://a' }).message, 'x')
  assert.equal(full().with({ message: 'y' }).stack?.split('\n')[0], `BlobwireError: ${message.replace(/refs.*/, 'y')}`)
})

test('JSON has everything but the stack, and causes shortened', () => {
  const report: object = JSON.parse(JSON.stringify({ error: full() })).error
  assert.deepEqual(report, {
    name: 'BlobwireError',
    code: 'aborted',
    reason: 'ref_mismatch',
    message: 'updateRefs at http://127.0.0.1:4100: refs/heads/main has moved',
    retryable: false,
    sent: 'processed',
    attempts: 2,
    transport: 'msgpack',
    endpoint: 'http://127.0.0.1:4100',
    method: 'updateRefs',
    requestId: 'r-1',
    details: { refMismatches: [{ name: 'refs/heads/main', expectedOid: 'a', foundOid: 'b' }] },
    cause: {
      name: 'BlobwireError',
      code: 'unavailable',
      message: 'down',
      cause: { name: 'TypeError', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' }
    }
  })
  assert.match(full().toJSON({ stack: true }).stack ?? '', /error\.test\.ts/)
  const again = new BlobwireError(report as BlobwireErrorInit)
  assert.deepEqual({ ...again.toJSON(), cause: undefined }, { ...report, cause: undefined })
  assert.ok(again.is('ref_mismatch'))
})

test('causes may be anything: long chains, circles, and what has no text', () => {
  const circle = new Error('round')
  circle.cause = circle
  const round = full()
  round.cause = round
  assert.ok(inspect(round).length < 20_000)
  const odd: unknown[] = [circle, 'text', 5, null, Object.create(null), Symbol('s'), () => 1, 'x'.repeat(10_000)]
  for (const value of odd) {
    const text = JSON.stringify(new BlobwireError({ message: 'm', cause: value }))
    assert.ok(text.length < 2000, text.slice(0, 100))
    assert.ok('cause' in JSON.parse(text), text)
  }
  assert.ok(!('cause' in JSON.parse(JSON.stringify(new BlobwireError({ message: 'm' })))))
})

test('console.log shows the stack, and what the message does not say', () => {
  const text = inspect(full())
  assert.match(text, /^BlobwireError: updateRefs at http:\/\/127\.0\.0\.1:4100: refs\/heads\/main has moved\n {4}at /)
  for (const part of ["code: 'aborted'", "requestId: 'r-1'", "foundOid: 'b'", 'attempts: 2', 'connect ECONNREFUSED'])
    assert.ok(text.includes(part), `${part} in ${text}`)
  const plain = inspect(invalidArgument('mode', 'must be one of …'))
  assert.doesNotMatch(plain, /undefined|requestId|transport|reason|cause/)
  assert.equal(inspect({ a: { b: { c: full() } } }, { depth: 2 }).includes('[BlobwireError: updateRefs'), true)
})

test('structuredClone and postMessage keep message, stack and cause', () => {
  const clone: Error = structuredClone(full())
  assert.equal(clone.message, full().message)
  assert.match(`${clone.stack}`, /^BlobwireError: updateRefs/)
  assert.ok(clone.cause instanceof Error)
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(full().toJSON())
  port1.close()
  port2.close()
})

test('stacks may be of any form', (context) => {
  const { prepareStackTrace } = Error
  context.after(() => Object.assign(Error, { prepareStackTrace }))
  Error.prepareStackTrace = (_error, sites) => sites
  const message = 'updateRefs: refs/heads/main has moved'
  assert.equal(full().with({ endpoint: undefined }).message, message)
  assert.ok(inspect(full()).includes('updateRefs'))
})

test('fields get other names in message and violations together', () => {
  const error = invalidArgument('changes[0].mode', 'must be one of …', 'commitFiles')
  const renamed = error.renamed((field) => field.replace('[0]', '["a"]'))
  assert.equal(renamed.message, 'commitFiles: changes["a"].mode: must be one of …')
  assert.equal(renamed.details.violations?.[0]?.field, 'changes["a"].mode')
})
