/** The table of reasons says what each error means, and every reason in the code has its row there. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { outcomeOf } from '../../src/balance/outcome.ts'
import { BlobwireError } from '../../src/core/error.ts'
import {
  mayFitWhenSplit,
  mayResend,
  mayRetry,
  reasons,
  rulesOutSession,
  rulesOutTransport
} from '../../src/core/reasons.ts'

const root = new URL('../../', import.meta.url)
const error = (init: ConstructorParameters<typeof BlobwireError>[0]) => new BlobwireError(init)

test('every reason that the client or the fixture gives has a row, and every row is given somewhere', () => {
  const given = new Set<string>()
  for (const file of globSync('{src,server-fixture}/**/*.ts', { cwd: root })) {
    if (file.endsWith('core/reason-rows.ts')) continue
    const text = readFileSync(new URL(file, root), 'utf8')
    for (const [, reason = ''] of text.matchAll(/\breason:? (?:= )?'(\w+)'/g)) given.add(reason)
    for (const [, reason = ''] of text.matchAll(/\b(?:notFound|precondition|unauthenticated)\(\s*'(\w+)'/g))
      given.add(reason)
  }
  assert.ok(given.size > 30, 'the search still finds reasons')
  const computed = ['retry_budget_exhausted', 'malformed_response', 'request_too_large', 'not_http2', 'no_http_form']
  computed.push('receiver_refused', 'receiver_failed', 'webhook_signature', 'webhook_timestamp')
  const rows = Object.keys(reasons)
  assert.deepEqual(
    [...given].filter((reason) => !rows.includes(reason)),
    []
  )
  assert.deepEqual(
    rows.filter((reason) => !given.has(reason) && !computed.includes(reason)),
    []
  )
})

test('an error has the code and the retryability of its reason, unless it says otherwise', () => {
  const open = error({ reason: 'circuit_open', message: 'x' })
  assert.deepEqual([open.code, open.retryable, mayRetry(open)], ['unavailable', true, false])
  const tls = error({ reason: 'tls', message: 'x' })
  assert.deepEqual([tls.code, tls.retryable], ['unavailable', false])
  const told = error({ code: 'aborted', reason: 'ref_mismatch', message: 'x', retryable: true })
  assert.equal(mayRetry(told), true)
  assert.equal(error({ message: 'x' }).code, 'unknown')
  const later = error({ code: 'unavailable', reason: 'a_reason_of_a_later_server', message: 'x' })
  assert.deepEqual([later.retryable, mayRetry(later), outcomeOf(later, false)], [true, true, 'failure'])
})

test('`is` narrows by reason', () => {
  const mismatch = { name: 'refs/heads/main', expectedOid: '0', foundOid: '1' }
  const found: unknown = error({ reason: 'ref_mismatch', message: 'x', details: { refMismatches: [mismatch] } })
  assert.ok(found instanceof BlobwireError && found.is('ref_mismatch'))
  // Without narrowing this would not compile: the list is optional.
  assert.equal(found.details.refMismatches[0]?.foundOid, '1')
  assert.equal(found.is('integrity'), false)
})

test('each column is read from the row, or from the code', () => {
  const of = (code: BlobwireError['code'], reason = '') => error({ code, reason, message: 'x' })
  assert.ok(rulesOutTransport('grpc', of('unavailable')) && !rulesOutTransport('json', of('unavailable')))
  assert.ok(!rulesOutTransport('grpc', of('unavailable', 'tls')))
  assert.ok(rulesOutTransport('json', of('internal', 'malformed_response')))
  assert.ok(!rulesOutTransport('json', of('internal', 'git_failed')))
  assert.ok(rulesOutSession(of('resource_exhausted', 'request_too_large')))
  assert.ok(!rulesOutSession(of('resource_exhausted', 'response_too_large')))
  assert.ok(mayFitWhenSplit(of('resource_exhausted', 'message_too_large')))
  assert.ok(!mayFitWhenSplit(of('resource_exhausted', 'queue_full')))
  const limit = { limit: 'max_batch_bytes', maximum: 1, actual: 2 }
  assert.ok(mayFitWhenSplit(error({ code: 'resource_exhausted', message: 'x', details: { limit } })))
  assert.ok(mayResend(of('unavailable')) && !mayResend(of('internal')))
})

test('the breaker counts connections that fail, whole requests that are refused, and silence; answers close it', () => {
  const told = (init: Partial<ConstructorParameters<typeof BlobwireError>[0]>, isSilence = false) =>
    outcomeOf(error({ message: 'x', ...init }), isSilence)
  const processed = { sent: 'processed' } as const
  const cases: readonly (readonly [ReturnType<typeof told>, Parameters<typeof told>[0], boolean?])[] = [
    ['failure', { code: 'unavailable', sent: 'never' }],
    ['failure', { reason: 'connect_timeout', sent: 'never' }],
    ['failure', { code: 'unavailable', sent: 'maybe' }],
    ['failure', { reason: 'connection_dead', sent: 'maybe' }],
    ['failure', { reason: 'refused', sent: 'never' }],
    ['failure', { code: 'unavailable', ...processed }],
    ['failure', { reason: 'store_closed', ...processed }],
    ['failure', { reason: 'server_full', ...processed }],
    ['failure', { code: 'deadline_exceeded', sent: 'maybe' }, true],
    ['failure', { reason: 'attempt_timeout', sent: 'maybe' }, true],
    ['none', { code: 'deadline_exceeded', sent: 'maybe' }, false],
    ['none', { code: 'deadline_exceeded', ...processed }, true],
    // One operation, one repository, one request: the server works.
    ['success', { reason: 'storage', ...processed }],
    ['success', { reason: 'ref_locked', ...processed }],
    ['success', { reason: 'git_failed', ...processed }],
    ['success', { code: 'internal', reason: 'a_reason_of_a_later_server', ...processed }],
    ['success', { code: 'resource_exhausted', ...processed }],
    ['success', { reason: 'connection_full', ...processed }],
    ['success', { code: 'not_found', ...processed }],
    ['success', { reason: 'bad_token', ...processed }],
    // The caller, the client or an answer that tells nothing of the endpoint.
    ['none', { code: 'internal', ...processed }],
    ['none', { code: 'unknown', ...processed }],
    ['none', { reason: 'malformed_response', ...processed }],
    ['none', { code: 'invalid_argument', sent: 'never' }],
    ['none', { code: 'cancelled', sent: 'maybe' }],
    ['none', { reason: 'circuit_open', sent: 'never' }],
    ['none', { reason: 'interceptor', sent: 'maybe' }]
  ]
  for (const [outcome, init, isSilence] of cases) {
    assert.equal(told(init, isSilence), outcome, `${init.code} ${init.reason} ${init.sent}`)
  }
})
