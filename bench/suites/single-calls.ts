/** The suite of single calls, against other libraries. */
import { blobwire } from '../contenders/blobwire.ts'
import { connectNode, globalFetch, grpcUnary, rawEcho, trpcBatch, undiciJson } from '../contenders/others.ts'
import { contents, type Load, loaded } from '../measure/load.ts'
import type { Scenario, Suite } from '../measure/scenario.ts'

function scenario(concurrency: number): Scenario {
  const alone = concurrency === 1
  const load: Load = { concurrency, content: contents(50), unit: alone ? 'us' : 'calls/s' }
  return {
    suite: 'single-calls',
    name: `storeBlob of 50 B, concurrency ${concurrency}`,
    unit: load.unit,
    better: alone ? 'less' : 'more',
    baseline: 'grpc-js unary',
    contenders: [
      loaded('blobwire, MessagePack', load, () => blobwire('msgpack')),
      loaded('blobwire, gRPC', load, () => blobwire('grpc')),
      loaded('blobwire, JSON', load, () => blobwire('json')),
      loaded('blobwire, one request a call', load, () => blobwire('msgpack', { batch: false })),
      loaded('raw TCP echo', load, rawEcho),
      loaded('tRPC batch link', load, trpcBatch),
      loaded('undici JSON', load, undiciJson),
      loaded('global fetch', load, globalFetch),
      loaded('grpc-js unary', load, () => grpcUnary()),
      loaded('connect-node, JSON', load, () => connectNode('json')),
      loaded('connect-node, gRPC', load, () => connectNode('grpc'))
    ]
  }
}

/** Calls from concurrent callers, each of which waits for its answer. */
export const singleCalls: Suite = {
  name: 'single-calls',
  about: 'One storeBlob a call, from 1 to 1,000 callers at a time; every oid is checked by the client.',
  scenarios: ({ quick }) => (quick ? [1, 100, 1000] : [1, 10, 100, 1000]).map(scenario)
}
