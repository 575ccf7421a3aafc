/**
 * The client's pipeline on a fake clock, over endpoints that answer only as the test says. No sockets, and the dice always
 * say 0.5.
 */

import assert from 'node:assert/strict'
import type { Batcher } from '../../src/batch/batcher.ts'
import type { PipelineContext } from '../../src/call/pipeline.ts'
import { createPipeline, type Pipeline } from '../../src/call/pipeline.ts'
import type { UnstartedCall } from '../../src/call/running-call.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { type Counters, newCounters } from '../../src/core/counters.ts'
import { BlobwireError, type BlobwireErrorInit, type TransportName } from '../../src/core/error.ts'
import { Latency } from '../../src/core/latency.ts'
import type { ResolvedBatchOptions } from '../../src/options/types.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'
import type { UnaryCall } from '../../src/transport/transport.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeStream, unaryAnswer } from './fake-session.ts'

/** The breaker as it is by default. */
export const defaultBreaker = resolveOptions({ endpoint: 'http://localhost' }).breaker || assert.fail('a breaker')

/** An attempt as it arrived at an endpoint, as a request of its own. */
export interface Arrival {
  readonly endpoint: string
  /** The address of the endpoint's name that it came to; undefined = any. */
  readonly address: string | undefined
  readonly transport: TransportName
  readonly atMs: number
  readonly call: UnaryCall
  answer(response?: object): void
  fail(error: BlobwireErrorInit | Error): void
}

export interface PipelineHarnessOptions
  extends Partial<Omit<PipelineContext, 'batch' | 'limits' | 'retry' | 'concurrency'>> {
  /** On top of the defaults. */
  readonly retry?: Partial<PipelineContext['retry']>
  readonly concurrency?: Partial<PipelineContext['concurrency']>
  /** On top of the defaults; false, the default of the harness, makes every call a request of its own. */
  readonly batch?: Partial<ResolvedBatchOptions> | false
  readonly limits?: Partial<Messages['Limits']>
  /** Answers each arrival at once; without it the test does. */
  readonly respond?: (arrival: Arrival) => void
  /** Called for each session before the pipeline has it. */
  readonly onOpen?: (stream: FakeStream, opened: number) => void
  /** Whether a new connection to an endpoint, or to an address of it, can be had. */
  readonly canConnect?: (endpoint: string) => boolean
}

export interface PipelineHarness {
  readonly clock: FakeClock
  readonly counters: Counters
  readonly pipeline: Pipeline
  /** Of the first endpoint. */
  readonly batcher: Batcher
  readonly limits: Messages['Limits']
  /** Every request, in order. */
  readonly arrivals: Arrival[]
  /** Endpoints, or addresses of them, whose connections were closed. */
  readonly closed: string[]
  /** Every session, in order. */
  readonly streams: FakeStream[]
  /** The latest request. */
  last(): Arrival
  /** The latest session. */
  stream(): FakeStream
  /** Any call; resolves with the response message. */
  run(call: Partial<UnstartedCall>): Promise<object>
  /** A read; its answer names the endpoint unless the test answers. */
  read(call?: Partial<UnstartedCall>): Promise<object>
  /** The same of a write. */
  write(call?: Partial<UnstartedCall>): Promise<object>
  /** Calls storeBlob; resolves with the oid. */
  store(content: string, call?: Partial<UnstartedCall> & { readonly repository?: string }): Promise<string>
}

const batchDefaults: ResolvedBatchOptions = {
  maxOperations: 256,
  maxBytes: 262_144,
  lingerMs: 0,
  framesInFlight: 64,
  maxQueued: 100_000,
  maxQueuedBytes: 2 ** 30
}
const limitDefaults = {
  maxInlineBytes: 1 << 20,
  maxBatchOperations: 1000,
  maxBatchBytes: 4 << 20,
  chunkBytes: 1 << 18,
  maxBlobBytes: 1 << 30,
  maxInFlightBytes: 64 << 20,
  maxConnectionInFlightBytes: 32 << 20,
  maxUploadBytes: 1 << 30,
  uploadIdleSeconds: 3600
}
const retry = {
  maxAttempts: 3,
  baseMs: 100,
  maxMs: 20_000,
  factor: 2,
  jitter: true,
  budgetRatio: 0.2,
  budgetPerSecond: 10
}
/** Calls on a fake clock hold no process. */
export const noWork = { beginWork: () => undefined, endWork: () => undefined }
// The same object for all calls: those with headers of their own are not batched.
const headers = {}

/** Builds the layers. Retries are on, as by default; breaker, hedging and batching only where the test asks for them. */
export function pipelineHarness(options: PipelineHarnessOptions = {}): PipelineHarness {
  const { batch = false, limits: limitOptions, respond, onOpen, canConnect = () => true, ...parts } = options
  const clock = (parts.clock as FakeClock | undefined) ?? new FakeClock()
  const counters = parts.counters ?? newCounters()
  const limits = { ...limitDefaults, ...limitOptions }
  const arrivals: Arrival[] = []
  const streams: FakeStream[] = []
  const closed: string[] = []
  const pipeline = createPipeline({
    clock,
    counters,
    latency: new Latency(),
    telemetry: new Telemetry(clock),
    interceptors: [],
    token: undefined,
    timeoutMs: 30_000,
    headers,
    batch: batch && { ...batchDefaults, ...batch },
    userAgent: 'test',
    breaker: false,
    hedge: false,
    attemptTimeoutMs: undefined,
    adaptive: { percentile: 99, factor: 3, leastTimeoutMs: 500, mostTimeoutMs: 30_000, leastCalls: 4 },
    random: () => 0.5,
    work: noWork,
    codecOf: () => msgpackCodec,
    endpoints: ['a'],
    transports: ['msgpack'],
    limits: () => limits,
    newRequestId: () => 'r-1',
    connect: async (endpoint, transport, address) => ({
      name: transport,
      unary(call) {
        return new Promise((resolve, reject) => {
          const fail = (error: BlobwireErrorInit | Error) =>
            reject(error instanceof Error ? error : new BlobwireError({ sent: 'maybe', attempts: 1, ...error }))
          const answer = (response = { from: endpoint }) => resolve(response)
          const arrival = { endpoint, address, transport, atMs: clock.now(), call, answer, fail }
          arrivals.push(arrival)
          respond?.(arrival)
        })
      },
      openSession(opening) {
        const stream = new FakeStream(opening)
        streams.push(stream)
        onOpen?.(stream, streams.length)
        return stream
      },
      upload: () => Promise.reject(new Error('no upload')),
      download: () => Promise.reject(new Error('no download')),
      canConnect: async () => canConnect(address ?? endpoint),
      closeIdle: () => undefined,
      close: async () => void closed.push(address ?? endpoint)
    }),
    ...parts,
    concurrency: { maxCalls: 100_000, maxQueued: 100_000, adaptive: false, ...parts.concurrency },
    retry: { ...retry, ...parts.retry }
  })
  const run = (call: Partial<UnstartedCall>) =>
    pipeline.run({ method: methods.getBlob, request: {}, headers, timeoutMs: 30_000, signal: undefined, ...call })
  return {
    clock,
    counters,
    pipeline,
    batcher: pipeline.channels()[0]?.batcher as Batcher,
    limits,
    arrivals,
    closed,
    streams,
    last: () => arrivals.at(-1) as Arrival,
    stream: () => streams.at(-1) as FakeStream,
    run,
    read: (call = {}) => run(call),
    write: (call = {}) => run({ method: methods.storeBlob, ...call }),
    async store(content, { repository = 'demo', ...call } = {}) {
      const request = { repository, content: Buffer.from(content) }
      return ((await run({ method: methods.storeBlob, request, ...call })) as Messages['StoreBlobResponse']).oid
    }
  }
}

/** Answers every arrival with the response that is made for it, or with the error that is thrown instead. */
export const answering =
  (responseTo: (call: UnaryCall) => object) =>
  ({ call, answer, fail }: Arrival): void => {
    try {
      answer(responseTo(call))
    } catch (error) {
      fail(error as Error)
    }
  }

/** The same with batching and without retries; single requests are answered at once. */
export function batchHarness(options: PipelineHarnessOptions = {}): PipelineHarness {
  const once = { ...retry, maxAttempts: 1 }
  return pipelineHarness({ batch: {}, retry: once, respond: answering(unaryAnswer), ...options })
}

/** Lets everything that is ready run, so that a wait on the clock has begun. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The end of each call: its value, or its error. */
export async function outcomes(calls: readonly Promise<string>[]): Promise<(string | BlobwireError)[]> {
  const all = await Promise.allSettled(calls)
  return all.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as BlobwireError)))
}

export const down: BlobwireErrorInit = { code: 'unavailable', message: 'down' }
