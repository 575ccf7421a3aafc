/** One name with several addresses: a channel for each, taken in and left as the answers of the name server change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statsOf } from '../../src/client/stats.ts'
import { type Arrival, defaultBreaker, down, pipelineHarness, settled } from '../support/pipeline-harness.ts'

/** A pipeline over the endpoint `a`, with addresses that the test changes. */
function named(answer: string[][] | Error, options: Parameters<typeof pipelineHarness>[0] = {}) {
  const state = { answer, looks: 0, unreachable: new Set<string>(), isAnswered: Promise.resolve() }
  const lookup = async () => {
    state.looks++
    await state.isAnswered
    if (state.answer instanceof Error) throw state.answer
    return state.answer
  }
  const harness = pipelineHarness({
    addressesOf: (endpoint) => (endpoint === 'a' ? lookup : undefined),
    canConnect: (address) => !state.unreachable.has(address),
    respond: (arrival) => arrival.answer(),
    ...options
  })
  const addresses = () => harness.pipeline.channels().map(({ endpoint, address }) => address ?? endpoint)
  /** One call to begin with, and the answer to the first question. */
  const begin = async () => {
    await harness.read()
    await settled()
  }
  /** The next look at the addresses. */
  const next = async () => {
    await harness.read()
    harness.clock.advance(6000)
    await settled()
  }
  return { ...harness, state, addresses, begin, next }
}

const where = (arrivals: readonly Arrival[]) => arrivals.map(({ address }) => address)

test('calls spread over the addresses; the first call waits for none of them', async () => {
  const { arrivals, read, begin, addresses, closed, clock } = named([['1', '2', '3']])
  await begin()
  assert.deepEqual(where(arrivals), [undefined])
  assert.deepEqual(addresses(), ['1', '2', '3'])
  for (let call = 0; call < 9; call++) await read()
  const counts = ['1', '2', '3'].map((address) => where(arrivals).filter((each) => each === address).length)
  assert.deepEqual(counts, [3, 3, 3])
  clock.advance(1000)
  await settled()
  assert.deepEqual(closed, ['a'], 'the connection to any address')
})

test('an address that is new is taken in, and one that is gone is closed when its last attempt has ended', async () => {
  const { state, arrivals, read, clock, addresses, begin, next, closed, pipeline } = named([['1', '2']], {
    respond: (arrival) => {
      if (arrivals.length !== 2) arrival.answer()
    }
  })
  await begin()
  const long = read()
  await settled()
  const gone = arrivals[1]?.address as string
  const stays = gone === '1' ? '2' : '1'
  state.answer = [[stays, '3']]
  await next()
  assert.deepEqual(addresses(), [stays, '3'])
  clock.advance(3000)
  await settled()
  assert.deepEqual(closed, ['a'])
  arrivals[1]?.answer()
  await long
  clock.advance(1000)
  await settled()
  assert.deepEqual(closed, ['a', gone])
  await pipeline.close()
})

test('an address is used once it can be connected to, and asked again until then', async () => {
  const { state, addresses, begin, next } = named([['1', '2']])
  state.unreachable.add('1').add('2')
  await begin()
  assert.deepEqual(addresses(), ['a'], 'by name as long as there is no other way')
  state.unreachable.delete('2')
  await next()
  assert.deepEqual(addresses(), ['2'])
  state.unreachable.delete('1')
  await next()
  assert.deepEqual(addresses().toSorted(), ['1', '2'])
})

test('nothing is given up for an answer that is empty, fails or leads nowhere', async () => {
  const { state, addresses, begin, next } = named([['1', '2']])
  await begin()
  for (const answer of [[], new Error('no name server'), [['4', '5']]]) {
    state.answer = answer
    state.unreachable.add('4').add('5')
    await next()
    assert.deepEqual(addresses(), ['1', '2'])
  }
  state.unreachable.clear()
  await next()
  assert.deepEqual(addresses(), ['4', '5'])
})

test('a name with one address, or one in each family, has as many connections as before', async () => {
  const one = named([['1']])
  await one.begin()
  assert.deepEqual(one.addresses(), ['a'])
  const both = named([['6'], ['4']])
  both.state.unreachable.add('6')
  await both.begin()
  assert.deepEqual(both.addresses(), ['4'])
})

test('failures ask anew, once a second at most; a client without calls does not ask', async () => {
  let isDown = false
  const { state, read, clock, begin, addresses } = named([['1', '2']], {
    breaker: defaultBreaker,
    respond: (arrival) => (isDown && arrival.address === '1' ? arrival.fail(down) : arrival.answer())
  })
  await begin()
  assert.equal(state.looks, 1)
  clock.advance(2000)
  isDown = true
  for (let call = 0; call < 8; call++) await read()
  assert.equal(state.looks, 2)
  state.answer = [['2', '3']]
  clock.advance(999)
  await settled()
  assert.equal(state.looks, 2)
  clock.advance(1)
  await settled()
  assert.deepEqual([state.looks, addresses()], [3, ['2', '3']])
  clock.advance(6000)
  await settled()
  const { looks } = state
  clock.advance(600_000)
  await settled()
  assert.equal(state.looks, looks)
})

test('calls that wait for a breaker begin at an address that is new', async () => {
  const { state, read, clock, begin, arrivals, pipeline } = named([['1', '2']], {
    breaker: { ...defaultBreaker, failures: 1, firstOpenMs: 60_000 },
    respond: (arrival) => {
      if (arrival.address === '3' || arrivals.length === 1) arrival.answer()
      else arrival.fail(down)
    }
  })
  await begin()
  clock.advance(1500)
  state.unreachable.add('1').add('2')
  state.answer = [['1', '2', '3']]
  const nameServer = Promise.withResolvers<void>()
  state.isAnswered = nameServer.promise
  const waiting = read()
  await settled()
  clock.advance(200)
  await settled()
  assert.equal(pipeline.selector.waitingRoom({}).waiting, 1)
  nameServer.resolve()
  await waiting
  assert.equal(arrivals.at(-1)?.address, '3')
})

test('the statistics are those of the name, and keep what addresses counted that are gone', async () => {
  const { state, read, begin, next, pipeline, counters } = named([['1', '2']])
  const options = { batch: false, endpointOptions: new Map() }
  const telemetry = { calls: { all: () => [] } }
  const stats = () =>
    statsOf({ pipeline, counters, options, telemetry, latency: { summary: () => ({}) }, transport: 'msgpack' } as never)
  await begin()
  for (let call = 0; call < 4; call++) await read()
  state.answer = [['2', '3']]
  await next()
  await read()
  const { endpoints } = stats()
  assert.equal(endpoints.length, 1)
  assert.deepEqual(
    [endpoints[0]?.endpoint, endpoints[0]?.attempts, endpoints[0]?.latency.count],
    ['a', 7, 7],
    'calls before and after the change'
  )
  assert.deepEqual(
    endpoints[0]?.addresses.map(({ address }) => address),
    ['2', '3']
  )
})
