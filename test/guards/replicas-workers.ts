/** Guards of servers with several workers, and of clients with several servers. */
import type { Guard } from './guard.ts'

const processes = ['test/workers/workers.test.ts']
const summaries = ['test/workers/summary.test.ts']

export const guards: readonly Guard[] = [
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
  }
]
