/** One request of a listener: the facts about it that the figures and the access log tell at its end. */
import { type Code, codeFromHttpStatus } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { AccessLog, Peer } from '../access-log/access-log.ts'
import { FrameLog } from '../access-log/frame-log.ts'
import type { RequestTracing } from '../tracing/request-tracing.ts'
import { outcomeOf } from './call-table.ts'
import type { ServerMetrics } from './server-metrics.ts'
import type { CallTransport } from './snapshot.ts'
import type { TransportMetrics } from './transport-metrics.ts'

/** Name of what is no method: the figures have a row for each name, so clients make none. */
const unknownMethod = 'Unknown'

/** Not looked up among the methods: a server of before, as tests have one, does not know it. */
const apply = 'Apply' satisfies typeof methods.apply.name

/** They take as long as their blobs are large, and watches as long as somebody watches. */
const transfers: ReadonlySet<string> = new Set([
  methods.uploadBlob.name,
  methods.downloadBlob.name,
  methods.watchRefs.name,
  'GitUploadPack',
  'GitReceivePack'
])

/** How a request ended. */
export interface Outcome {
  readonly code: Code | 'ok'
  readonly reason: string
}

const success: Outcome = { code: 'ok', reason: '' }

/** A listener makes one for each request, and ends it. */
export class RequestRecord {
  readonly transport: CallTransport
  readonly requestId: string
  readonly startedAtMs: number = performance.now()
  readonly metrics: TransportMetrics
  /** Undefined = nobody reads it. */
  readonly accessLog: AccessLog | undefined
  /** Undefined = nobody traces. */
  readonly tracing: RequestTracing | undefined
  /** As in the proto; for paths of HTTP, a name of that kind. */
  method: string = unknownMethod
  /** Undefined = none is known. */
  repository: string | undefined
  /** Name of the caller's token. */
  tokenName: string | undefined
  /** Headers of the request; known where there is tracing. */
  traceHeaders: Readonly<Record<string, unknown>> = {}
  /** Known where there is an access log. */
  peer: Peer = { remote: undefined, userAgent: undefined }
  receivedBytes = 0
  sentBytes = 0
  /** Operations of a batch. */
  operations = 0
  #outcome: Outcome = success
  #isEnded = false
  #isLasting = false
  #frames = 0

  constructor(metrics: ServerMetrics, transport: CallTransport, requestId: string) {
    this.transport = transport
    this.requestId = requestId
    this.metrics = metrics.transports[transport]
    this.accessLog = metrics.accessLog
    this.tracing = metrics.tracing
    this.metrics.streams++
  }

  get outcome(): Outcome {
    return this.#outcome
  }

  /** The request is a call of this method; an Apply is one of the method that it makes with a key. */
  called(method: string, request: object): void {
    const write = request as Partial<Messages['ApplyRequest']>
    this.repository = write.repository
    if (method !== apply) this.method = method
    else if (write.batch) this.method = methods.batchOperations.name
    else if (write.createRepository) this.method = methods.createRepository.name
    else if (write.updateRepository) this.method = methods.updateRepository.name
    else if (write.deleteRepository) this.method = methods.deleteRepository.name
    else this.method = write.updateRefs ? methods.updateRefs.name : methods.commitFiles.name
  }

  /** The call has this response. */
  answered(request: object, response: object): void {
    if (this.method !== methods.batchOperations.name) return
    const { operations, batch } = request as Partial<Messages['BatchOperationsRequest'] & Messages['ApplyRequest']>
    const answer = response as Partial<Messages['BatchOperationsResponse'] & Messages['ApplyResponse']>
    const list = operations ?? batch?.operations ?? []
    this.operations = list.length
    const results = answer.results ?? answer.batch?.results ?? []
    const numbered = results.map((result) => ({ result }))
    this.metrics.batchOperations.batchEnded(list, numbered, performance.now() - this.startedAtMs)
  }

  /** A message came, of so many bytes with and without its compression. */
  received(wireBytes: number, plainBytes: number): void {
    this.receivedBytes += wireBytes
    this.metrics.received.add(wireBytes, plainBytes)
  }

  sent(wireBytes: number, plainBytes: number): void {
    this.sentBytes += wireBytes
    this.metrics.sent.add(wireBytes, plainBytes)
  }

  /** A stream has carried so many bytes of blobs. */
  transferred(receivedBytes: number, sentBytes: number): void {
    this.receivedBytes += receivedBytes
    this.sentBytes += sentBytes
    this.metrics.uploadedBytes += receivedBytes
    this.metrics.downloadedBytes += sentBytes
  }

  /** The request lasts as long as its client wants, as a session does: its time says nothing, and it counts where it fails. */
  lasts(): void {
    this.#isLasting = true
    this.metrics.lasting++
  }

  failed({ code, reason }: BlobwireError): void {
    this.#outcome = { code, reason }
  }

  /** The answer has this status of HTTP; an error says more. */
  responded(status: number): void {
    if (status < 400 || this.#outcome !== success) return
    this.#outcome = { code: status === 412 ? 'failed_precondition' : codeFromHttpStatus(status), reason: '' }
  }

  /** A frame of this session has come; undefined = nobody reads of it. */
  beginFrame(heldBytes: number): FrameLog | undefined {
    if (this.accessLog === undefined) return undefined
    this.#frames++
    const { requestId, transport, tokenName: token, peer } = this
    return new FrameLog(this.accessLog, { requestId, transport, token, peer }, { frame: this.#frames, heldBytes })
  }

  #log(accessLog: AccessLog, durationMs: number): void {
    const { requestId, transport, method, repository, receivedBytes, sentBytes, tokenName: token } = this
    const operations = this.operations || undefined
    const { code } = this.#outcome
    const reason = this.#outcome.reason || undefined
    const sizes = { durationMs, receivedBytes, sentBytes }
    const line = { kind: 'request', requestId, transport, method, repository, code, reason, ...sizes } as const
    accessLog.write({ ...line, operations, token }, this.peer)
  }

  /** The client has gone: where there is no answer yet, there will be none. */
  abandoned(): void {
    if (this.#isEnded) return
    this.#outcome = { code: 'cancelled', reason: '' }
    this.end()
  }

  #facts() {
    const { transport, method, requestId, startedAtMs } = this
    return { transport, method, requestId, startedAtMs }
  }

  /** Counts the request; later calls do nothing. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    const { code, reason } = this.#outcome
    const durationMs = performance.now() - this.startedAtMs
    this.metrics.streams--
    if (this.accessLog !== undefined) this.#log(this.accessLog, durationMs)
    this.tracing?.requestEnded({ ...this.#facts(), code, reason }, this.traceHeaders)
    if (this.#isLasting) {
      this.metrics.lasting--
      if (code === 'ok') return
    }
    const outcome = code === 'ok' ? undefined : outcomeOf(code, reason)
    this.metrics.calls.ended(this.method, outcome, durationMs)
    const { notable } = this.metrics
    if (!notable.wants(durationMs) || this.#isLasting || transfers.has(this.method)) return
    const { method, transport, repository = '', requestId } = this
    const operations = Math.max(1, this.operations)
    notable.ended({ method, transport, repository, durationMs, code, requestId, operations })
  }
}
