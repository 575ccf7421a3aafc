/** A pipeline on a fake clock over sessions that do only what the test says. No sockets. */

import type { Batcher } from '../../src/batch/batcher.ts'
import type { ResolvedBatchOptions } from '../../src/batch/options.ts'
import type { PipelineContext } from '../../src/call/pipeline.ts'
import { createPipeline, type Pipeline } from '../../src/call/pipeline.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { type Counters, newCounters } from '../../src/core/counters.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Method } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { SessionBatch, SessionOpening, SessionStream } from '../../src/transport/session-stream.ts'
import type { UnaryCall } from '../../src/transport/transport.ts'
import { FakeClock } from './fake-clock.ts'
import { plainPolicies } from './policies.ts'

type Result = Messages['SessionResult']

/** The result of a storeBlob: an oid that shows whose it is. */
const resultOf = (operation: object): object => {
  const { storeBlob } = operation as { storeBlob?: { content: Uint8Array } }
  if (storeBlob) return { storeBlob: { oid: `oid of ${Buffer.from(storeBlob.content)}`, size: 1 } }
  return { [Object.keys(operation)[0] as string]: {} }
}

/** A session as the pipeline opened it. */
export class FakeStream implements SessionStream {
  readonly opening: SessionOpening
  readonly sent: SessionBatch[] = []
  readonly cancelled: number[] = []
  /** What `send` answers. */
  hasRoom = true
  ended = false
  destroyed = false

  constructor(opening: SessionOpening) {
    this.opening = opening
  }

  send(batch: SessionBatch): boolean {
    this.sent.push(batch)
    return this.hasRoom
  }

  cancel(ids: readonly number[]): void {
    this.cancelled.push(...ids)
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    this.destroyed = true
  }

  /** Contents of the frames so far. */
  get frames(): string[] {
    return this.sent.map(({ operations }) => operations.map(contentOf).join(' '))
  }

  /** The server says that the session stands. */
  greet(): void {
    this.respond([])
  }

  respond(results: readonly Result[]): void {
    this.opening.onResponse({ results: [...results] })
  }

  /** Results of the frame with this place in `sent`. */
  resultsOf(place: number): Result[] {
    const { firstId, operations } = this.sent[place] as SessionBatch
    return operations.map((operation, index) => ({ id: firstId + index, result: resultOf(operation) }))
  }

  /** Answers whole frames, by their places in `sent`; all if none is given. */
  answer(...places: number[]): void {
    const all = places.length > 0 ? places : this.sent.map((_batch, index) => index)
    for (const place of all) this.respond(this.resultsOf(place))
  }

  /** Every operation of a frame fails with this error. */
  fail(place: number, error: Partial<Messages['OperationError']>): void {
    this.respond(this.resultsOf(place).map(({ id }) => ({ id, result: { error: operationError(error) } })))
  }
}

function contentOf(operation: object): string {
  const { storeBlob } = operation as { storeBlob?: { content: Uint8Array } }
  return storeBlob ? Buffer.from(storeBlob.content).toString() : (Object.keys(operation)[0] as string)
}

/** An error as a server writes it, with an empty detail unless one is given. */
export function operationError(error: Partial<Messages['OperationError']>): Messages['OperationError'] {
  return { code: 'unknown', message: 'told so', detail: undefined, ...error } as Messages['OperationError']
}

/** A detail with only these parts. */
export function errorDetail(detail: Partial<Messages['ErrorDetail']>): Messages['ErrorDetail'] {
  const empty = {
    reason: '',
    retryable: false,
    requestId: '',
    refMismatches: [],
    violations: [],
    missingOids: [],
    retryAfterMs: 0
  }
  return { ...empty, limit: undefined, ...detail } as unknown as Messages['ErrorDetail']
}

/** What a test works with. */
export interface Bench {
  readonly clock: FakeClock
  readonly counters: Counters
  readonly pipeline: Pipeline
  readonly batcher: Batcher
  readonly limits: Messages['Limits']
  /** In the order in which they were opened. */
  readonly streams: FakeStream[]
  /** Requests that went by themselves. */
  readonly unary: UnaryCall[]
  /** Calls storeBlob; resolves with the oid. */
  store(content: string, options?: CallParts): Promise<string>
  /** Any call; resolves with the response message. */
  run(method: Method, request: object, options?: CallParts): Promise<object>
  /** The latest session. */
  stream(): FakeStream
}

export interface CallParts {
  readonly repository?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface BenchOptions {
  readonly batch?: Partial<ResolvedBatchOptions>
  readonly limits?: Partial<Messages['Limits']>
  readonly token?: PipelineContext['token']
  readonly policies?: Partial<PipelineContext>
  /** What a single request is answered with. */
  readonly unary?: (call: UnaryCall) => Promise<object>
  /** Called for each session before the pipeline has it. */
  readonly onOpen?: (stream: FakeStream, opened: number) => void
}

const noHeaders = {}

/** Builds the layers over fakes. */
export function bench(options: BenchOptions = {}): Bench {
  const clock = new FakeClock()
  const counters = newCounters()
  const streams: FakeStream[] = []
  const unary: UnaryCall[] = []
  const limits = {
    maxInlineBytes: 1 << 20,
    maxBatchOperations: 1000,
    maxBatchBytes: 4 << 20,
    chunkBytes: 1 << 18,
    maxBlobBytes: 1 << 30,
    ...options.limits
  }
  const defaults = {
    maxOperations: 256,
    maxBytes: 262_144,
    lingerMs: 0,
    framesInFlight: 64,
    maxQueued: 100_000,
    maxQueuedBytes: 2 ** 30
  }
  const pipeline = createPipeline({
    clock,
    counters,
    interceptors: [],
    token: options.token,
    timeoutMs: 30_000,
    headers: noHeaders,
    batch: { ...defaults, ...options.batch },
    ...plainPolicies,
    ...options.policies,
    codecOf: () => msgpackCodec,
    endpoints: ['http://a'],
    transports: ['msgpack'],
    limits: () => limits,
    newRequestId: () => 'r-1',
    connect: async () => ({
      name: 'msgpack' as const,
      unary(call: UnaryCall) {
        unary.push(call)
        return options.unary ? options.unary(call) : Promise.resolve(unaryAnswer(call))
      },
      openSession(opening: SessionOpening) {
        const stream = new FakeStream(opening)
        streams.push(stream)
        options.onOpen?.(stream, streams.length)
        return stream
      },
      close: async () => undefined
    })
  })
  const run: Bench['run'] = (method, request, { timeoutMs = 30_000, signal } = {}) =>
    pipeline.run({ method, request, headers: noHeaders, timeoutMs, signal })
  return {
    clock,
    counters,
    pipeline,
    batcher: pipeline.channels()[0]?.batcher as Batcher,
    limits,
    streams,
    unary,
    run,
    async store(content, options = {}) {
      const request = { repository: options.repository ?? 'demo', content: Buffer.from(content) }
      return ((await run(methods.storeBlob, request, options)) as Messages['StoreBlobResponse']).oid
    },
    stream: () => streams.at(-1) as FakeStream
  }
}

/** What a server answers to a single request. */
export function unaryAnswer({ method, request }: UnaryCall): object {
  if (method !== methods.batchOperations) return (resultOf({ storeBlob: request }) as { storeBlob: object }).storeBlob
  return { results: (request as Messages['BatchOperationsRequest']).operations.map(resultOf) }
}

/** Until everything that is ready to run has run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** How each ended: its value, or its error. */
export async function outcomes(calls: readonly Promise<string>[]): Promise<(string | BlobwireError)[]> {
  const all = await Promise.allSettled(calls)
  return all.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as BlobwireError)))
}
