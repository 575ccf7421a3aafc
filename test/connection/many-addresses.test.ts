/** One name with the addresses of several servers: clients spread, leave one that ends, and find one that is new. */
import assert from 'node:assert/strict'
import dns, { type LookupAddress } from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { AddressTurns } from '../../src/connection/dial/address-turns.ts'
import { createClient, type TransportName } from '../../src/index.ts'
import { testServer } from '../support/server.ts'

/** Addresses of the name `replicas.test`. */
let addresses: LookupAddress[] = []

// Both ways in which the client and grpc-js ask the system.
const { lookup } = dns
const { lookup: lookupPromise } = dns.promises
const answer = (host: string) => (host === 'replicas.test' ? addresses : undefined)
dns.lookup = ((host: string, options: object, callback: (error: null, found: LookupAddress[]) => void) => {
  const found = answer(host)
  if (found) queueMicrotask(() => callback(null, found))
  else lookup(host, options, callback as never)
}) as typeof dns.lookup
dns.promises.lookup = (async (host: string, options: object) =>
  answer(host) ?? lookupPromise(host, options)) as typeof dns.promises.lookup
syncBuiltinESMExports()

const v4 = (address: string): LookupAddress => ({ address, family: 4 })
const v6 = (address: string): LookupAddress => ({ address, family: 6 })

test('addresses of a family take turns, and families keep their places', () => {
  const turns = new AddressTurns(() => 0)
  const next = (all: LookupAddress[]) => turns.next(all, ({ family }) => family).map(({ address }) => address)
  const three = ['1', '2', '3'].map(v4)
  assert.deepEqual([next(three), next(three), next(three)], [[...'123'], [...'231'], [...'312']])
  const mixed = [v6('a'), v4('1'), v6('b'), v4('2')]
  assert.deepEqual(
    [next(mixed), next(mixed)],
    [
      ['b', '2', 'a', '1'],
      ['a', '1', 'b', '2']
    ]
  )
  assert.deepEqual(next([v6('a'), v4('1')]), ['a', '1'])
})

for (const transport of ['msgpack', 'grpc'] as const satisfies TransportName[]) {
  test(`${transport}: clients of one name spread over its addresses, and no call fails when one goes`, async (context) => {
    const store = new MemoryStore()
    await store.createRepository('demo', 'sha1')
    const start = (host: string, ports = {}) => testServer({ store, host, hosts: ['replicas.test'], ...ports })
    const first = await start('127.0.0.1')
    const [httpPort, grpcPort] = [first.server.http, first.server.grpc].map((url) => Number(new URL(url).port))
    const second = await start('127.0.0.2', { httpPort, grpcPort })
    const listener = transport === 'grpc' ? 'grpc' : 'http'
    const openAt = ({ server }: typeof first) => server.metrics.snapshot().connections[listener]?.open
    addresses = [v4('127.0.0.1'), v4('127.0.0.2')]
    const endpoint = transport === 'grpc' ? `grpc://replicas.test:${grpcPort}` : `http://replicas.test:${httpPort}`
    const clients = Array.from({ length: 6 }, () => createClient({ endpoint, transport }))
    context.after(async () => {
      await Promise.all(clients.map((client) => client.close()))
      await first[Symbol.asyncDispose]()
    })
    const callAll = () => Promise.all(clients.map((client) => client.storeBlob('demo', new Uint8Array(50))))
    await callAll()
    assert.deepEqual([openAt(first), openAt(second)], [3, 3])
    // It stays among the addresses, as it does until the name servers know.
    const calls = [callAll()]
    const closed = second[Symbol.asyncDispose]()
    for (let count = 0; count < 10; count++) calls.push(callAll())
    await Promise.all(calls)
    await closed
    await callAll()
    assert.equal(openAt(first), 6)
  })
}
