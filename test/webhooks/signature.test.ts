/** Signatures of webhooks against the vectors of other implementations and the package `standardwebhooks`, both ways. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { signerOf } from '../../src/webhooks/secrets.ts'
import { signedHeaders } from '../../src/webhooks/signature.ts'
import {
  generateWebhookKeys,
  generateWebhookSecret,
  isPushEvent,
  pushEvent,
  type VerifyWebhookOptions,
  verifyWebhook
} from '../../src/webhooks.ts'

/** The vector that the libraries of Standard Webhooks have in their tests. */
const symmetric = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
}
/** The same id, time and body signed by Svix's server; the specification shows this signature. */
const asymmetric = {
  secret: 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
  publicKey: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
  signature: 'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=='
}
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const sentAtMs = 1614265330 * 1000
const text = '{"test": 2432232314}'

const sign = (secrets: readonly string[], body = text, timeMs = sentAtMs) => {
  const signers = secrets.map((secret) => signerOf('secret', secret))
  return signedHeaders({ id, type: 'push', body: Buffer.from(body) }, signers, timeMs)
}
const at = (options?: VerifyWebhookOptions) => ({ nowMs: sentAtMs, ...options })
const refused = (reason: string) => ({ name: 'BlobwireError', code: 'unauthenticated', reason })

test('signatures are those of the vectors', () => {
  assert.deepEqual(sign([symmetric.secret, asymmetric.secret]), {
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': `${symmetric.signature} ${asymmetric.signature}`,
    'webhook-type': 'push'
  })
})

test('a private key may come without its public key, and must not come with that of another', () => {
  const bytes = Buffer.from(asymmetric.secret.slice(5), 'base64')
  const seed = `whsk_${bytes.subarray(0, 32).toString('base64')}`
  assert.equal(sign([seed])['webhook-signature'], asymmetric.signature)
  bytes[40] = (bytes[40] as number) ^ 1
  assert.throws(() => sign([`whsk_${bytes.toString('base64')}`]), { code: 'invalid_argument' })
})

test('both kinds of signatures are verified, among others and with a secret that is being changed', () => {
  const other = `v1,${Buffer.alloc(32).toString('base64')}`
  for (const [secret, signature] of [
    [symmetric.secret, symmetric.signature],
    [asymmetric.publicKey, asymmetric.signature]
  ] as const) {
    const headers = { ...sign([symmetric.secret]), 'webhook-signature': `${other} v2,x v1a,AAAA ${signature}` }
    const verified = verifyWebhook([generateWebhookSecret(), secret], headers, text, at())
    assert.deepEqual([verified.id, verified.timestampMs, verified.json()], [id, sentAtMs, { test: 2432232314 }])
  }
})

test('the headers may be those of fetch or of Node, in any case', () => {
  const headers = sign([symmetric.secret])
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]))
  for (const given of [headers, new Headers(headers), upper]) {
    assert.equal(verifyWebhook(symmetric.secret, given, Buffer.from(text), at()).id, id)
  }
})

test('another body, id, time, secret or kind of signature is refused', () => {
  const headers = sign([symmetric.secret])
  const verify = (changed: Record<string, string>, body = text, secret = symmetric.secret) => {
    verifyWebhook(secret, { ...headers, ...changed }, body, at())
  }
  verify({})
  const short = symmetric.signature.slice(0, -4)
  for (const change of [
    () => verify({}, `${text} `),
    () => verify({ 'webhook-id': 'msg_other' }),
    () => verify({ 'webhook-timestamp': '1614265331' }),
    () => verify({ 'webhook-signature': short }),
    () => verify({ 'webhook-signature': symmetric.signature.replace('v1,', 'v1a,') }),
    () => verify({ 'webhook-signature': '' }),
    () => verify({}, text, generateWebhookSecret()),
    () => verify({}, text, asymmetric.publicKey)
  ]) {
    assert.throws(change, refused('webhook_signature'))
  }
})

test('an id with a full stop is refused, because the signed bytes could be split in another place', () => {
  const [body, rest] = ['5.{}', '{}']
  const headers = sign([symmetric.secret], body)
  const split = { ...headers, 'webhook-id': `${id}.1614265330`, 'webhook-timestamp': '5' }
  assert.throws(() => verifyWebhook(symmetric.secret, split, rest, { nowMs: 5000 }), refused('webhook_signature'))
})

test('a webhook that is too old or too new is refused', () => {
  const verify = (options: VerifyWebhookOptions) => {
    verifyWebhook(symmetric.secret, sign([symmetric.secret]), text, options)
  }
  verify({ nowMs: sentAtMs + 300_000 })
  verify({ nowMs: sentAtMs - 300_000 })
  verify({ nowMs: sentAtMs + 900_000, toleranceMs: 900_000 })
  for (const nowMs of [sentAtMs + 300_001, sentAtMs - 300_001]) {
    assert.throws(() => verify({ nowMs }), refused('webhook_timestamp'))
  }
  assert.throws(() => verify({}), refused('webhook_timestamp'))
  const headers = { ...sign([symmetric.secret]), 'webhook-timestamp': '1614265330.5' }
  assert.throws(() => verifyWebhook(symmetric.secret, headers, text, at()), refused('webhook_timestamp'))
})

test('a body that was parsed, and secrets of another form, are mistakes of the program; messages show no secret', () => {
  const headers = sign([symmetric.secret])
  assert.throws(
    () => verifyWebhook(symmetric.secret, headers, JSON.parse(text), at()),
    /body: must be the raw body of the request/
  )
  for (const secret of ['hidden', 'whsec_hidden', `whsec_${'A'.repeat(90)}`, 'whsk_hidden', 'whpk_AAAA', '']) {
    assert.throws(
      () => verifyWebhook([symmetric.secret, secret], headers, text, at()),
      (error: Error) => error.message.startsWith('secrets[1]: must be whsec_…') && !/hidden|AAAA/.test(error.message)
    )
  }
  assert.throws(() => verifyWebhook([], headers, text, at()), { code: 'invalid_argument' })
})

test('the package standardwebhooks verifies these signatures, and the other way round', () => {
  const secret = generateWebhookSecret()
  const judge = new Webhook(secret)
  const now = Date.now()
  for (const body of ['{}', '{"ü":"𝄞"}', JSON.stringify({ long: 'x'.repeat(10_000) })]) {
    assert.deepEqual(judge.verify(body, sign([generateWebhookSecret(), secret], body, now)), JSON.parse(body))
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': judge.sign(id, new Date(now), body)
    }
    assert.deepEqual(verifyWebhook(secret, headers, body, { nowMs: now }).json(), JSON.parse(body))
  }
  assert.throws(() => judge.verify('{}', sign([generateWebhookSecret()], '{}', now)))
})

test('generated keys sign and verify', () => {
  const { privateKey, publicKey } = generateWebhookKeys()
  verifyWebhook(publicKey, sign([privateKey]), text, at())
  assert.throws(
    () => verifyWebhook(generateWebhookKeys().publicKey, sign([privateKey]), text, at()),
    refused('webhook_signature')
  )
})

test('a push event is told from other JSON', () => {
  const moves = [{ name: 'refs/heads/main', oldOid: '0'.repeat(40), newOid: '1'.repeat(40) }]
  const event = pushEvent({ repository: 'a/b', sequence: 7, moves }, sentAtMs)
  assert.equal(event.timestamp, '2021-02-25T15:02:10.000Z')
  assert.ok(isPushEvent(JSON.parse(JSON.stringify(event))))
  for (const other of [null, 5, {}, { ...event, type: 'x' }, { ...event, data: { ...event.data, moves: [{}] } }]) {
    assert.ok(!isPushEvent(other), JSON.stringify(other))
  }
})
