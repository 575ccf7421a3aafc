/**
 * Spans of the server, for OpenTelemetry: one of kind SERVER for each request, and one for each operation of a session's
 * frame whose client sent a trace context with it. A frame serves operations of many traces: it has a span of its own, which
 * links to theirs. The spans are made when the answer is there, from times that the records have in any case, so that a
 * request costs nothing more while it runs.
 */
import {
  type Attributes,
  type Context,
  diag,
  type Link,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  type TracerProvider,
  trace
} from '@opentelemetry/api'
import { methods, serviceName } from '../../src/schema/methods.ts'
import type { Headers, RequestTracing, TracedBatch, TracedRequest } from './request-tracing.ts'

const getter: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get(headers, name) {
    const value = headers[name]
    return typeof value === 'string' ? value : undefined
  }
}

/** Requests of other names, such as those of Git's clients and of Prometheus, are no calls of the service. */
const rpcs: ReadonlySet<string> = new Set(Object.values(methods).map(({ name }) => name))

/** Links of one span; the SDK drops those above its own limit, which is the same by default. */
const maxLinks = 128

/** With the provider that the process has registered, before or after. */
export const registeredTracing = () => new ServerTracing(trace)

/** A tracer of the application, such as its sampler, may throw: the answers of the server do not depend on it. */
function safely(work: () => void): void {
  try {
    work()
  } catch (error) {
    diag.error('blobwire: a span could not be made', error)
  }
}

/** Makes the spans of one server. */
export class ServerTracing implements RequestTracing {
  readonly #tracer: Tracer

  constructor(tracerProvider: TracerProvider) {
    this.#tracer = tracerProvider.getTracer('blobwire-server')
  }

  requestEnded(request: TracedRequest, headers: Headers): void {
    safely(() => this.#span(request, propagation.extract(ROOT_CONTEXT, headers, getter)))
  }

  /** A batch without any trace context has no spans: its session has one. */
  batchEnded(batch: TracedBatch): void {
    safely(() => this.#batch(batch))
  }

  #batch({ methods, results, headersOf, ...facts }: TracedBatch): void {
    const links: Link[] = []
    for (const [index, method] of methods.entries()) {
      const headers = headersOf(index)
      if (headers?.['traceparent'] === undefined) continue
      const error = results[index]?.result?.error
      const parent = propagation.extract(ROOT_CONTEXT, headers, getter)
      const outcome = { code: error?.code ?? 'ok', reason: error?.detail?.reason ?? '' }
      const span = this.#span({ ...facts, method, ...outcome }, parent)
      if (span.isRecording && links.length < maxLinks) links.push({ context: span.context })
    }
    if (links.length === 0) return
    const attributes = { ...attributesOf(facts), 'blobwire.operations': methods.length }
    const options = { kind: SpanKind.INTERNAL, startTime: facts.startedAtMs, attributes, links, root: true }
    this.#tracer.startSpan('frame', options, ROOT_CONTEXT).end()
  }

  #span(request: TracedRequest, parent: Context) {
    const isRpc = rpcs.has(request.method)
    const name = isRpc ? `${serviceName}/${request.method}` : request.method
    const attributes = isRpc
      ? { ...attributesOf(request), 'rpc.method': name, ...statusOf(request) }
      : { ...ownAttributesOf(request), ...errorOf(request, request.code) }
    const options = { kind: SpanKind.SERVER, startTime: request.startedAtMs, attributes }
    const span = this.#tracer.startSpan(name, options, parent)
    const isRecording = span.isRecording()
    if (isServerError(request.code)) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
    return { context: span.spanContext(), isRecording }
  }
}

/** Those that the span of a server counts as its own errors; the others are the client's (conventions for RPC spans). */
const serverErrors: ReadonlySet<string> = new Set([
  'unknown',
  'deadline_exceeded',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss'
])

const isServerError = (code: string) => serverErrors.has(code)

type Facts = Pick<TracedRequest, 'transport' | 'requestId'>

const ownAttributesOf = ({ transport, requestId }: Facts): Attributes => ({
  'blobwire.transport': transport,
  'blobwire.request_id': requestId
})

function attributesOf(facts: Facts): Attributes {
  return { 'rpc.system.name': facts.transport === 'grpc' ? 'grpc' : 'connectrpc', ...ownAttributesOf(facts) }
}

function statusOf(request: TracedRequest): Attributes {
  const isGrpc = request.transport === 'grpc'
  const { code } = request
  if (code === 'ok') return isGrpc ? { 'rpc.response.status_code': 'OK' } : {}
  const status = isGrpc ? code.toUpperCase() : code
  return { 'rpc.response.status_code': status, ...errorOf(request, status) }
}

function errorOf({ code, reason }: TracedRequest, status: string): Attributes {
  const error = isServerError(code) ? { 'error.type': status } : {}
  return { ...error, ...(reason === '' ? {} : { 'blobwire.reason': reason }) }
}
