/** Addresses are kept as long as they are good, and asked for again when they do not work. */
import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import { test } from 'node:test'
import { createConnector } from '../../src/connection/dial/connector.ts'
import { type AddressSource, CachingResolver } from '../../src/connection/dial/resolver.ts'
import { parseEndpoint } from '../../src/connection/endpoint.ts'
import type { BlobwireError } from '../../src/index.ts'
import { resolveConnection } from '../../src/options/resolve.ts'
import { FakeClock } from '../support/fake-clock.ts'

const v4 = (address: string): LookupAddress => ({ address, family: 4 })
const v6 = (address: string): LookupAddress => ({ address, family: 6 })

/** A resolver whose answers the test gives. */
function resolving(answers: (LookupAddress[] | string)[], ttls: Record<string, number> = {}) {
  const clock = new FakeClock()
  const asked: string[] = []
  const source: AddressSource = {
    lookup(host, callback) {
      asked.push(host)
      const answer = answers[Math.min(asked.length, answers.length) - 1] as LookupAddress[] | string
      queueMicrotask(() => {
        if (typeof answer === 'string') callback(Object.assign(new Error('no'), { code: answer }), [])
        else callback(null, answer)
      })
    },
    ttls: (_host, callback) => callback(new Map(Object.entries(ttls))),
    close: () => undefined
  }
  const resolver = new CachingResolver(clock, source)
  return { clock, asked, resolver, all: (host: string) => find(resolver.lookup, host) }
}

function find(lookup: LookupFunction, host: string, family?: 4 | 6): Promise<string> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, ...(family ? { family } : {}) }, (error, addresses) => {
      if (error) reject(error)
      else resolve((addresses as LookupAddress[]).map(({ address }) => address).join())
    })
  })
}

test('answers are kept for 30 s where no name server says how long', async () => {
  const { clock, asked, all } = resolving([[v4('10.0.0.1')], [v4('10.0.0.2')]])
  assert.equal(await all('a.test'), '10.0.0.1')
  clock.advance(29_999)
  assert.equal(await all('a.test'), '10.0.0.1')
  clock.advance(1)
  assert.equal(await all('a.test'), '10.0.0.2')
  assert.equal(asked.length, 2)
})

for (const [ttl, keptMs] of [
  [5, 5000],
  [0, 1000],
  [86_400, 300_000]
] as const) {
  test(`a time to live of ${ttl} s keeps the answer for ${keptMs} ms`, async () => {
    const { clock, asked, all } = resolving([[v4('10.0.0.1'), v6('::1')]], { '10.0.0.1': ttl, '::1': 1e6 })
    await all('a.test')
    clock.advance(keptMs - 1)
    await all('a.test')
    assert.equal(asked.length, 1)
    clock.advance(1)
    await all('a.test')
    assert.equal(asked.length, 2)
  })
}

test('a name server that knows other addresses (as beside /etc/hosts) is not used', async () => {
  const { clock, asked, all } = resolving([[v4('10.0.0.1')]], { '192.0.2.1': 3600 })
  await all('a.test')
  clock.advance(30_000)
  await all('a.test')
  assert.equal(asked.length, 2)
})

test('questions at the same time share one lookup; failures are not kept', async () => {
  const { asked, all } = resolving(['ENOTFOUND', [v4('10.0.0.1')]])
  const both = await Promise.allSettled([all('a.test'), all('a.test')])
  assert.deepEqual(
    both.map((end) => end.status === 'rejected' && end.reason.code),
    ['ENOTFOUND', 'ENOTFOUND']
  )
  assert.equal(asked.length, 1)
  assert.equal(await all('a.test'), '10.0.0.1')
})

test('a lookup of one address family gives that family', async () => {
  const { resolver } = resolving([[v6('::1'), v4('127.0.0.1')]])
  assert.equal(await find(resolver.lookup, 'a.test', 4), '127.0.0.1')
  assert.equal(await find(resolver.lookup, 'a.test', 6), '::1')
})

test('the real system knows localhost', async () => {
  const resolver = new CachingResolver(new FakeClock())
  assert.match(await find(resolver.lookup, 'localhost'), /127\.0\.0\.1|::1/)
  resolver.close()
})

/** A connector over a resolver with these answers, to a port of this machine. */
function connecting(answers: (LookupAddress[] | string)[], port: number) {
  const { resolver, asked } = resolving(answers)
  const connect = createConnector({
    endpoint: parseEndpoint(`http://a.test:${port}`),
    tls: {},
    options: resolveConnection({ connectTimeoutMs: 2000 }),
    proxy: undefined,
    lookup: resolver.lookup,
    onFailure: () => resolver.forget('a.test')
  })
  return { connect, asked }
}

test('both address families are tried, and a failing address is looked up again', async (context) => {
  const server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  context.after(() => server.close())
  const { port } = server.address() as AddressInfo
  // Nobody listens on this port at ::1.
  const families = connecting([[v6('::1'), v4('127.0.0.1')]], port)
  ;(await families.connect.open(true)).destroy()
  // The address changes; the cached one would be good for 30 s.
  const moved = connecting([[v4('127.0.0.2')], [v4('127.0.0.1')]], port)
  await assert.rejects(moved.connect.open(true), { code: 'unavailable', sent: 'never' })
  ;(await moved.connect.open(true)).destroy()
  assert.equal(moved.asked.length, 2)
})

test('an unknown host name: unavailable, never sent', async () => {
  const { connect } = connecting(['ENOTFOUND'], 9)
  await assert.rejects(connect.open(true), (error: BlobwireError) => {
    assert.deepEqual([error.code, error.sent, error.retryable], ['unavailable', 'never', true])
    return true
  })
})
