/** The faults of the fixture in the soak test. */
import type { FaultScript } from '../server-fixture/faults/rules.ts'

/** Random faults of some 6 % of the calls. The same seed gives the same sequence. */
export function misbehaviour(seed: number): FaultScript {
  return {
    seed,
    rules: [
      { rpc: '*', probability: 0.02, fault: { kind: 'delay', ms: 30, jitterMs: 30 } },
      { rpc: '*', probability: 0.01, fault: { kind: 'status', code: 'unavailable' } },
      { rpc: '*', probability: 0.003, fault: { kind: 'status', code: 'resource_exhausted', retryAfterMs: 50 } },
      { rpc: '*', probability: 0.01, fault: { kind: 'lost_answer' } },
      { rpc: '*', probability: 0.005, fault: { kind: 'reset' } },
      { rpc: '*', probability: 0.003, fault: { kind: 'truncate' } },
      { rpc: '*', probability: 0.001, fault: { kind: 'corrupt' } },
      { rpc: '*', probability: 0.001, fault: { kind: 'bad_gzip' } },
      { rpc: '*', probability: 0.001, fault: { kind: 'drip', everyMs: 1 } },
      { rpc: '*', probability: 0.0005, fault: { kind: 'silence' } },
      { rpc: '*', probability: 0.002, fault: { kind: 'goaway', steps: 2 } },
      { rpc: '*', probability: 0.001, fault: { kind: 'goaway', steps: 1, last: 'below' } },
      { rpc: '*', probability: 0.0005, fault: { kind: 'stream_limit', streams: 2 } },
      { rpc: '*', probability: 0.01, fault: { kind: 'refuse' } },
      { rpc: '*', probability: 0.01, fault: { kind: 'http_status', status: 503 } }
    ]
  }
}
