/** Sessions that do only what the test says, and answers as a server makes them. No sockets. */
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { SessionFrame } from '../../src/transport/session-frame.ts'
import type { SessionOpening, SessionStream } from '../../src/transport/session-stream.ts'
import type { UnaryCall } from '../../src/transport/transport.ts'

type Result = Messages['SessionResult']

/** The result of a storeBlob: an oid that names its content. */
const resultOf = (operation: object): object => {
  const { storeBlob } = operation as { storeBlob?: { content: Uint8Array } }
  if (storeBlob) return { storeBlob: { oid: `oid of ${Buffer.from(storeBlob.content)}`, size: 1 } }
  return { [Object.keys(operation)[0] as string]: {} }
}

/** A session as the pipeline opened it. */
export class FakeStream implements SessionStream {
  readonly opening: SessionOpening
  readonly sent: SessionFrame[] = []
  readonly cancelled: number[] = []
  /** The answer of `send`. */
  hasRoom = true
  ended = false
  destroyed = false

  constructor(opening: SessionOpening) {
    this.opening = opening
  }

  send(frame: SessionFrame): boolean {
    this.sent.push(frame)
    return this.hasRoom
  }

  cancel(ids: readonly number[]): void {
    this.cancelled.push(...ids)
  }

  readonly watched: { id: number; request: Init<Messages['WatchRefsRequest']> }[] = []

  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void {
    this.watched.push({ id, request })
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
    this.opening.onResponse({ results: [...results], updates: [] })
  }

  /** Results of the frame with this place in `sent`. */
  resultsOf(place: number): Result[] {
    const { firstId, operations } = this.sent[place] as SessionFrame
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
    pathMismatches: [],
    violations: [],
    missingOids: [],
    retryAfterMs: 0
  }
  return { ...empty, limit: undefined, ...detail } as unknown as Messages['ErrorDetail']
}

/** The answer of a server to a single request. */
export function unaryAnswer({ method, request }: UnaryCall): object {
  if (method !== methods.batchOperations) return (resultOf({ storeBlob: request }) as { storeBlob: object }).storeBlob
  return { results: (request as Messages['BatchOperationsRequest']).operations.map(resultOf) }
}
