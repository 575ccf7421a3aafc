/** Guards of servers with several workers, and of clients with several servers. */
import type { Guard } from './guard.ts'

const processes = ['test/workers/workers.test.ts']
const summaries = ['test/workers/summary.test.ts']

const hanging = ['test/workers/worker-process.test.ts']
const channels = ['test/balance/name-channels.test.ts']
const allAddresses = ['test/connection/all-addresses.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'workers: the primary finds those that hang',
    file: 'server-fixture/workers/crew.ts',
    from: '    for (const worker of this.workers) worker.look()\n',
    to: '',
    tests: hanging
  },
  {
    name: 'workers: one that hangs is killed',
    file: 'server-fixture/workers/worker-process.ts',
    from: 'this.#silentLooks++ < maxSilentLooks',
    to: 'this.#silentLooks++ >= 0',
    tests: hanging,
    mayHang: true
  },
  {
    name: 'workers: one that answers does not hang',
    file: 'server-fixture/workers/worker-process.ts',
    from: "message.kind === 'ready' || this.#silentLooks !== undefined",
    to: "message.kind === 'ready'",
    tests: hanging
  },
  {
    name: 'workers: one that cannot be started is replaced',
    file: 'server-fixture/workers/worker-process.ts',
    from: '      if (this.child.pid === undefined) this.#ended(null, null)\n',
    to: '',
    tests: hanging,
    mayHang: true
  },
  {
    name: 'all addresses: a failed attempt has the name looked up again',
    file: 'src/balance/name-channels.ts',
    from: 'onFailure: () => this.#lookAnew()',
    to: 'onFailure: () => undefined',
    tests: channels
  },
  {
    name: 'all addresses: failures ask once a second at most',
    file: 'src/balance/name-channels.ts',
    from: 'if (waitMs <= 0) return',
    to: 'return',
    tests: channels
  },
  {
    name: 'all addresses: a client without calls does not ask',
    file: 'src/balance/name-channels.ts',
    from: 'if (isInUse) void',
    to: 'void',
    tests: channels
  },
  {
    name: 'all addresses: an address that cannot be connected to is not used',
    file: 'src/balance/name-channels.ts',
    from: 'if (!isThere || this.#isClosed)',
    to: 'if (this.#isClosed)',
    tests: channels
  },
  {
    name: 'all addresses: addresses that lead nowhere replace none',
    file: 'src/balance/name-channels.ts',
    from: '      if (![...wanted].some((address) => this.#byAddress.has(address))) continue\n',
    to: '',
    tests: channels
  },
  {
    name: 'all addresses: attempts under way on an address that is gone run to their end',
    file: 'src/balance/name-channels.ts',
    from: 'if (channel.inFlight > 0) return',
    to: 'if (channel.inFlight < 0) return',
    tests: channels
  },
  {
    name: 'all addresses: a name with one address has one channel',
    file: 'src/balance/name-channels.ts',
    from: '    if (this.#byAddress.size === 0 && families.flat().length < 2) return\n',
    to: '',
    tests: channels
  },
  {
    name: 'all addresses: attempts at addresses that are gone stay counted',
    file: 'src/balance/name-channels.ts',
    from: '      first.attempts += channel.attempts\n',
    to: '',
    tests: channels
  },
  {
    name: 'all addresses: waiting calls begin at a new address',
    file: 'src/balance/picker.ts',
    from: '    this.waitingRoom.setEndpoints(channels)\n',
    to: '',
    tests: channels,
    mayHang: true
  },
  {
    name: 'all addresses: watches leave a channel that is drained',
    file: 'src/balance/name-channels.ts',
    from: '    channel.moveWatches()\n',
    to: '',
    tests: allAddresses,
    mayHang: true
  },
  {
    name: 'all addresses: a connection goes to its own address',
    file: 'src/connection/dial/connector.ts',
    from: 'proxy ? hostOf(proxy) : (endpoint.address ?? host)',
    to: 'proxy ? hostOf(proxy) : host',
    tests: allAddresses,
    mayHang: true
  },
  {
    name: 'all addresses: the authority over gRPC is the name',
    file: 'src/connection/grpc/channel-options.ts',
    from: '(proxy || context.endpoint.address ?',
    to: '(proxy ?',
    tests: allAddresses,
    mayHang: true
  },
  {
    name: 'all addresses: the gRPC port of an address is at that address',
    file: 'src/client/transport-factory.ts',
    from: '{ ...found, hostname: asked.hostname, address: asked.address }',
    to: '{ ...found, hostname: asked.hostname }',
    tests: allAddresses,
    mayHang: true
  },
  {
    name: 'workers: a connection is not lost with the worker that was to have it',
    file: 'server-fixture/workers/worker-process.ts',
    from: '    for (const connection of this.#handedOver.values()) this.#events.onReturned(connection)\n',
    to: '',
    tests: processes,
    mayHang: true
  },
  {
    name: 'workers: a worker that ends is replaced',
    file: 'server-fixture/workers/crew.ts',
    from: '        this.#clock.schedule(delayMs, () => this.isDraining || this.#startWorker(place))\n',
    to: '',
    tests: processes,
    mayHang: true
  },
  {
    name: 'workers: the figures on the port of a worker are those of all',
    file: 'server-fixture/workers/from-primary.ts',
    from: "snapshot: () => ask('figures', () => own.figures.snapshot())",
    to: 'snapshot: () => own.figures.snapshot()',
    tests: processes
  },
  {
    name: 'workers: a new worker gets the next connections',
    file: 'server-fixture/workers/distributor.ts',
    from: 'taker.connections < best.connections',
    to: 'false',
    tests: summaries
  },
  {
    name: 'workers: the counters of a worker that has ended are kept',
    file: 'server-fixture/workers/summary.ts',
    from: '    this.#ended = this.#ended ? addFigures(this.#ended, counted) : counted\n',
    to: '',
    tests: summaries
  },
  {
    name: 'workers: uploads of the database are not counted once for each worker',
    file: 'server-fixture/workers/summary.ts',
    from: 'uploads ? { ...sum, uploads } : sum',
    to: 'sum',
    tests: summaries
  },
  {
    name: 'workers: a late answer of a worker that has ended is not counted again',
    file: 'server-fixture/workers/summary.ts',
    from: 'if (this.#workers.has(worker)) this',
    to: 'this',
    tests: summaries
  },
  {
    name: 'workers: the gauges of a process that has ended are zero',
    file: 'server-fixture/metrics/snapshot.ts',
    from: "typeof inner === 'number' && gauges.has(name) ? 0 : ended(inner)",
    to: 'ended(inner)',
    tests: summaries
  },
  {
    name: 'one name: connections begin with its addresses in turn',
    file: 'src/connection/dial/resolver.ts',
    from: 'addressTurns.next(ofFamily, (address) => address.family)',
    to: 'ofFamily',
    tests: ['test/connection/many-addresses.test.ts']
  },
  {
    name: 'one name: channels of gRPC begin with its addresses in turn',
    file: 'src/connection/grpc/opening-sockets.ts',
    from: 'inTurn.map(',
    to: 'endpoints.value.map(',
    tests: ['test/connection/many-addresses.test.ts']
  },
  {
    name: 'workers: an admin port that is taken is told before any worker is started',
    file: 'server-fixture/workers/primary.ts',
    from: 'await openAdmin({ crew, metrics }, options)\n    await crew.start()',
    to: 'await crew.start().then(() => openAdmin({ crew, metrics }, options))',
    tests: ['test/server/process.test.ts']
  }
]
