/** Spans of calls and of their attempts, as an observer. */
import {
  type Attributes,
  type Context,
  context as contexts,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace
} from '@opentelemetry/api'
import type {
  AttemptObserver,
  BlobwireError,
  CallObserver,
  CallOutcome,
  EventFacts,
  Observer,
  StartedAttempt,
  StartedCall
} from '../index.ts'
import { AttributeCache, statusOf } from './attributes.ts'

/** Options of `tracing`. */
export interface TracingOptions {
  /**
   * Makes the tracer. Without it, the provider that the application registered with `@opentelemetry/api`, also after the
   * client was created.
   * @default the registered provider
   */
  tracerProvider?: TracerProvider | undefined
  /**
   * Whether each attempt has a span of its own, below that of the call. `'repeated'` = only the attempts of calls that need
   * more than one, and the servers' spans are below the call; this halves the cost of calls that succeed at once.
   * @default 'all'
   */
  attempts?: 'all' | 'repeated' | undefined
  /**
   * Whether spans get the events of an attempt: connected, encoded, compressed, sent, answered, decoded.
   * @default false
   */
  events?: boolean | undefined
}

const name = 'blobwire'

/**
 * Traces calls with OpenTelemetry: pass it in the option `observers`. Each call is a span of kind CLIENT below the span that
 * is active where the call was made, with a span of kind CLIENT for each attempt, whose context travels to the server by the
 * registered propagator (W3C Trace Context by default), in frames beside the operation. A `batch` is a span for each request
 * that it needs.
 * @example
 * const client = createClient({ endpoint, observers: [tracing()] })
 */
export function tracing(options: TracingOptions = {}): Observer {
  const { tracerProvider = trace, attempts = 'all', events = false } = options
  const tracer = tracerProvider.getTracer(name)
  const shared: Shared = { tracer, cache: new AttributeCache(), everyAttempt: attempts === 'all', events }
  return { callStarted: (call) => new TracedCall(call, shared) }
}

interface Shared {
  readonly tracer: Tracer
  readonly cache: AttributeCache
  readonly everyAttempt: boolean
  readonly events: boolean
}

/** Spans take times of `performance.now()`, which is the client's clock. */
const eventAttributes = ({ bytes, operations, delayMs, serverMs }: EventFacts): Attributes => ({
  ...(bytes === undefined ? {} : { 'blobwire.bytes': bytes }),
  ...(operations === undefined ? {} : { 'blobwire.operations': operations }),
  ...(delayMs === undefined ? {} : { 'blobwire.delay_ms': delayMs }),
  ...(serverMs === undefined ? {} : { 'blobwire.server_ms': serverMs })
})

function endSpan(span: Span, error: BlobwireError | undefined, atMs: number): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  span.end(atMs)
}

class TracedCall implements CallObserver {
  readonly #shared: Shared
  readonly #call: StartedCall
  readonly #context: Context
  readonly #span: Span

  constructor(call: StartedCall, shared: Shared) {
    this.#shared = shared
    this.#call = call
    const active = contexts.active()
    const { rpc, startedAtMs, operations } = call
    const attributes =
      operations === 1 ? { 'rpc.method': rpc } : { 'rpc.method': rpc, 'blobwire.operations': operations }
    this.#span = shared.tracer.startSpan(rpc, { kind: SpanKind.CLIENT, startTime: startedAtMs, attributes }, active)
    this.#context = trace.setSpan(active, this.#span)
  }

  attemptStarted(attempt: StartedAttempt): AttemptObserver {
    const { everyAttempt, cache, tracer, events } = this.#shared
    const { number, endpoint, transport, startedAtMs } = attempt
    const { rpc } = this.#call
    const attributes = cache.ofAttempt(rpc, endpoint, transport)
    // A span that nobody records needs none below it, and says so to the server.
    if (!this.#span.isRecording()) return new TracedAttempt(undefined, this.#context, transport, false)
    if (!everyAttempt && number === 1) {
      this.#span.setAttributes(attributes)
      return new TracedAttempt(undefined, this.#context, transport, false)
    }
    const all = number === 1 ? attributes : { ...attributes, 'blobwire.attempt': number }
    const options = { kind: SpanKind.CLIENT, startTime: startedAtMs, attributes: all }
    const span = tracer.startSpan(rpc, options, this.#context)
    return new TracedAttempt(span, trace.setSpan(this.#context, span), transport, events)
  }

  event(event: string, atMs: number, facts: EventFacts): void {
    this.#span.addEvent(event, eventAttributes(facts), atMs)
  }

  ended({ atMs, error, attempts, requestId, transport }: CallOutcome): void {
    if (this.#span.isRecording()) {
      if (attempts > 1) this.#span.setAttribute('blobwire.attempts', attempts)
      if (requestId !== undefined) this.#span.setAttribute('blobwire.request_id', requestId)
      if (error !== undefined || transport === 'grpc') this.#span.setAttributes(statusOf(error, transport))
    }
    endSpan(this.#span, error, atMs)
  }
}

class TracedAttempt implements AttemptObserver {
  readonly headers: Readonly<Record<string, string>>
  readonly #span: Span | undefined
  readonly #transport: StartedAttempt['transport']
  readonly #tellsEvents: boolean

  /** Without a span, the attempt passes on that of the call. */
  constructor(span: Span | undefined, parent: Context, transport: StartedAttempt['transport'], tellsEvents: boolean) {
    this.#span = span
    this.#transport = transport
    this.#tellsEvents = tellsEvents
    const headers: Record<string, string> = {}
    propagation.inject(parent, headers)
    this.headers = headers
  }

  event(event: string, atMs: number, facts: EventFacts): void {
    if (this.#tellsEvents) this.#span?.addEvent(event, eventAttributes(facts), atMs)
  }

  ended({ atMs, error }: { readonly atMs: number; readonly error: BlobwireError | undefined }): void {
    if (this.#span === undefined) return
    const attributes = statusOf(error, this.#transport)
    this.#span.setAttributes(attributes)
    endSpan(this.#span, error, atMs)
  }
}
