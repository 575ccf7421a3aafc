/** A pipeline on a fake clock over endpoints that answer only as the test says, each call as a request of its own. */

import type { PipelineContext } from '../../src/call/pipeline.ts'
import { createPipeline, type Pipeline } from '../../src/call/pipeline.ts'
import type { UnstartedCall } from '../../src/call/running-call.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { type Counters, newCounters } from '../../src/core/counters.ts'
import { BlobwireError, type BlobwireErrorInit, type TransportName } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import type { UnaryCall } from '../../src/transport/transport.ts'
import { FakeClock } from './fake-clock.ts'
import { plainPolicies } from './policies.ts'

/** An attempt as it arrived at an endpoint. */
export interface Arrival {
  readonly endpoint: string
  readonly transport: TransportName
  readonly atMs: number
  readonly call: UnaryCall
  answer(response?: object): void
  fail(error: BlobwireErrorInit | Error): void
}

/** What a test works with. */
export interface PolicyBench {
  readonly clock: FakeClock
  readonly counters: Counters
  readonly pipeline: Pipeline
  /** Every attempt, in order. */
  readonly arrivals: Arrival[]
  /** The latest. */
  last(): Arrival
  /** A read; its answer is what an endpoint gave. */
  read(over?: Partial<UnstartedCall>): Promise<object>
  /** The same of a write. */
  write(over?: Partial<UnstartedCall>): Promise<object>
}

export interface PolicyBenchOptions extends Partial<PipelineContext> {
  /** Answers at once; without it the test answers each arrival. */
  readonly respond?: (arrival: Arrival) => void
}

/** Builds the layers over fakes. Retries are on, as by default, and there is a breaker only if asked for. */
export function policyBench({ respond, ...over }: PolicyBenchOptions = {}): PolicyBench {
  const clock = new FakeClock()
  const counters = newCounters()
  const arrivals: Arrival[] = []
  const pipeline = createPipeline({
    ...plainPolicies,
    retry: { maxAttempts: 3, baseMs: 100, maxMs: 20_000, budgetRatio: 0.2, budgetPerSecond: 10 },
    clock,
    counters,
    interceptors: [],
    token: undefined,
    timeoutMs: 30_000,
    headers: {},
    batch: false,
    codecOf: () => msgpackCodec,
    endpoints: ['a'],
    transports: ['msgpack'],
    limits: () => ({ maxInlineBytes: 1, maxBatchOperations: 1, maxBatchBytes: 1, chunkBytes: 1, maxBlobBytes: 1 }),
    newRequestId: () => 'r-1',
    ...over,
    connect: async (endpoint, transport) => ({
      name: transport,
      unary(call) {
        return new Promise((resolve, reject) => {
          const fail = (error: BlobwireErrorInit | Error) =>
            reject(error instanceof Error ? error : new BlobwireError({ sent: 'maybe', attempts: 1, ...error }))
          const answer = (response = { from: endpoint }) => resolve(response)
          const arrival = { endpoint, transport, atMs: clock.now(), call, answer, fail }
          arrivals.push(arrival)
          respond?.(arrival)
        })
      },
      openSession() {
        throw new Error('no session')
      },
      close: async () => undefined
    })
  })
  const run = (draft: Partial<UnstartedCall>) =>
    pipeline.run({ method: methods.getBlob, request: {}, headers: {}, timeoutMs: 30_000, signal: undefined, ...draft })
  return {
    clock,
    counters,
    pipeline,
    arrivals,
    last: () => arrivals.at(-1) as Arrival,
    read: (over = {}) => run(over),
    write: (over = {}) => run({ method: methods.storeBlob, ...over })
  }
}

/** Lets everything that is ready run, so that a wait on the clock has begun. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export const down: BlobwireErrorInit = { code: 'unavailable', message: 'down' }
