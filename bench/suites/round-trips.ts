/** The suite of networks with long round trips. */
import { blobwire } from '../contenders/blobwire.ts'
import { grpcUnary } from '../contenders/others.ts'
import { contents, type Load, loaded } from '../measure/load.ts'
import type { Scenario, Suite } from '../measure/scenario.ts'
import { startBenchServer } from '../servers/start.ts'

function scenario(roundTripMs: number): Scenario {
  const load: Load = { concurrency: 100, content: contents(50), unit: 'calls/s' }
  const through = (port: number) => startBenchServer('delay-proxy', String(port), String(roundTripMs))
  return {
    suite: 'round-trips',
    name: `storeBlob of 50 B, concurrency 100, ${roundTripMs} ms of round trip added`,
    unit: 'calls/s',
    better: 'more',
    baseline: 'grpc-js unary',
    contenders: [
      loaded('blobwire, MessagePack', load, () => blobwire('msgpack', {}, through)),
      loaded('blobwire, gRPC', load, () => blobwire('grpc', {}, through)),
      loaded('blobwire, one request a call', load, () => blobwire('msgpack', { batch: false }, through)),
      loaded('grpc-js unary', load, () => grpcUnary(through))
    ]
  }
}

/** Calls over a slow network. 100 callers that wait 20 ms each cannot make more than 5,000 calls a second. */
export const roundTrips: Suite = {
  name: 'round-trips',
  about: 'The same through a proxy that adds a round trip of 0 to 100 ms.',
  scenarios: ({ quick }) => (quick ? [0, 20] : [0, 1, 20, 100]).map(scenario)
}
