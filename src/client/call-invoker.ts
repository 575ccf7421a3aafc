/** Invokes calls: checks their options, and runs them through the pipeline. */
import { allHeaders, givenHeaders } from '../batch/own-headers.ts'
import type { CallOptions } from '../call/call-options.ts'
import { checkPriority, policyOf } from '../call/call-policy.ts'
import { endpointsInWords, rejection } from '../call/caller.ts'
import { isToken, tokenProblem } from '../call/credentials.ts'
import { methodName } from '../call/interceptor.ts'
import { createPipeline, type Pipeline } from '../call/pipeline.ts'
import type { UnstartedCall } from '../call/running-call.ts'
import { listen, stopListening } from '../core/abort-listeners.ts'
import { checkNumber, show } from '../core/check-options.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Counters, newCounters } from '../core/counters.ts'
import { asBlobwireError, BlobwireError, invalidArgument, type TransportName } from '../core/error.ts'
import { Latency } from '../core/latency.ts'
import { userAgentOf } from '../core/user-agent.ts'
import * as processHold from '../platform/process-hold.ts'
import type { RetryRefusal } from '../retry/policy.ts'
import type { Init, Method as Rpc } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { Telemetry } from '../telemetry/telemetry.ts'
import { defaultStallTimeoutMs, type TransferOptions } from '../transfer/options.ts'
import type { Transfer } from '../transfer/transfer.ts'
import type { Request } from './blob-requests.ts'
import { ClientCaches } from './client-caches.ts'
import { byLevel, type CallToIntercept, Interception } from './interception.ts'
import { mayBecomeDownload, recoverRead } from './large-reads.ts'
import type { OperationName } from './operations.ts'
import { type ResolvedOptions, transportOfCall } from './options.ts'
import { OwnCall } from './own-call.ts'
import { isKeyed, newRequestKey, type WriteOptions } from './request-key.ts'
import type { OperationValues } from './results.ts'
import { sharedAnswer } from './shared-answer.ts'
import { codecOf, TransportFactory } from './transport-factory.ts'
import { learningVerifiers } from './verify/answers.ts'
import type { Verifier } from './verify/blob-answers.ts'

/** Makes the transports. */
export type Transports = Pick<TransportFactory, 'connect' | 'addressesOf' | 'close'>

const noOptions: CallOptions = {}

/** Makes the calls of one client. */
export class CallInvoker {
  /** `client.update` replaces them. */
  options: ResolvedOptions
  readonly clock: Clock
  readonly counters: Counters = newCounters()
  readonly caches = new ClientCaches()
  /** Made once: they check every answer, and keep the oids that it tells. */
  readonly verifiers: { readonly [Name in OperationName]?: Verifier | undefined }
  readonly latency = new Latency()
  readonly telemetry: Telemetry
  readonly pipeline: Pipeline
  /** Undefined without interceptors of calls. */
  readonly interception: Interception | undefined
  readonly #transports: Transports
  /** The endpoints, for errors. */
  readonly endpoint: string
  readonly #idPrefix = Math.random().toString(36).slice(2, 10)
  #capabilities: Promise<Messages['GetCapabilitiesResponse']> | undefined
  #requests = 0
  #closed = false
  /** Functions that end the waits between two requests of one call. */
  readonly #waits = new Set<() => void>()

  constructor(options: ResolvedOptions, clock: Clock = systemClock, transports?: Transports) {
    this.options = options
    this.clock = clock
    this.endpoint = endpointsInWords([...options.endpoints.keys()])
    this.telemetry = new Telemetry(clock, options)
    this.verifiers = learningVerifiers(options.verify, this.caches.known)
    this.#transports =
      transports ?? new TransportFactory(options, this.counters, (...event) => this.telemetry.report(...event))
    const { calls, requests } = byLevel(options.interceptors)
    const { endpoint } = this
    this.interception = calls.length > 0 ? new Interception(calls, { clock, work: processHold, endpoint }) : undefined
    this.pipeline = createPipeline({
      ...options,
      userAgent: userAgentOf(options.userAgent),
      interceptors: requests,
      clock,
      counters: this.counters,
      telemetry: this.telemetry,
      latency: this.latency,
      endpoints: [...options.endpoints.keys()],
      codecOf,
      limits: () => this.caches.limits,
      newRequestId: () => `${this.#idPrefix}-${++this.#requests}`,
      connect: (...channel) => this.#transports.connect(...channel),
      addressesOf: (endpoint) => this.#transports.addressesOf(endpoint),
      work: processHold,
      random: Math.random,
      recover: (error, call, remainingMs) =>
        recoverRead(this, { error, call, remainingMs, stallTimeoutMs: defaultStallTimeoutMs })
    })
  }

  /** One call. @throws BlobwireError */
  invoke<Request, Response>(
    method: Rpc<Request, Response>,
    request: Init<Request>,
    options?: CallOptions
  ): Promise<Response> {
    try {
      return this.pipeline.run(this.#unstarted(method, request as object, options)) as Promise<Response>
    } catch (error) {
      return this.refused(method, error)
    }
  }

  /** One call that can also be an operation of a batch; its answer is verified. @throws BlobwireError */
  operation<Name extends OperationName>(
    name: Name,
    request: Request<Name> & { repository: string },
    options?: CallOptions
  ): Promise<OperationValues[Name]> {
    try {
      const unstarted = this.#unstarted(methods[name] as Rpc, request, options, this.verifiers[name])
      return this.pipeline.run(unstarted) as Promise<OperationValues[Name]>
    } catch (error) {
      return this.refused(methods[name] as Rpc, error)
    }
  }

  #unstarted(method: Rpc, request: object, options: CallOptions = noOptions, verify?: Verifier): UnstartedCall {
    const { headers, timeoutMs, priority } = this.options
    if (options.token !== undefined && !isToken(options.token)) {
      // The value must not show: it may be a token with a line feed behind it.
      throw invalidArgument('token', `must be a bearer token${tokenProblem(options.token)}`)
    }
    const call = new OwnCall(method, request, headers)
    if (isKeyed(method, request)) call.requestKey = (options as WriteOptions).requestKey ?? newRequestKey()
    call.token = options.token
    call.ownHeaders = options.headers && givenHeaders(options.headers, headers)
    call.hasOwnTimeout = options.timeoutMs !== undefined
    call.timeoutMs = options.timeoutMs === undefined ? timeoutMs : checkNumber('timeoutMs', options.timeoutMs)
    call.isBackground = (options.priority === undefined ? priority : checkPriority(options.priority)) === 'background'
    call.policy = policyOf(options)
    call.signal = checkSignal(options.signal)
    call.transport = this.#transport(options.transport)
    call.verify = verify
    return call
  }

  /** A transfer with the options of its call. @throws BlobwireError `invalid_argument` */
  transferOf(options: TransferOptions): Omit<Transfer, 'direction'> {
    const unstarted = this.#unstarted(methods.downloadBlob as Rpc, noOptions, options)
    const { headers, ownHeaders, token, transport, signal, timeoutMs } = unstarted
    return {
      headers: allHeaders(headers, ownHeaders),
      token,
      transport,
      signal,
      timeoutMs: options.timeoutMs === undefined ? undefined : timeoutMs,
      stallTimeoutMs: checkNumber('stallTimeoutMs', options.stallTimeoutMs ?? defaultStallTimeoutMs)
    }
  }

  /** Rejects a call that was not begun. */
  refused(method: Rpc | string, error: unknown): Promise<never> {
    const name = typeof method === 'string' ? method : methodName(method)
    const found = asBlobwireError(error)
    return rejection(found, { method: name, endpoint: found.endpoint ?? this.endpoint })
  }

  #transport(name: TransportName | undefined): TransportName | undefined {
    return name === undefined ? undefined : transportOfCall(name, [...this.options.endpoints.values()])
  }

  /** Runs a call through the interceptors of calls, if there are any. @throws BlobwireError */
  intercept<Message extends object, Result>(
    call: Omit<CallToIntercept<Message, Result>, 'headers' | 'timeoutMs'> & { readonly isUnhurried?: boolean }
  ): Promise<Result> {
    try {
      if (this.interception === undefined) return call.run(call.message, call.options, call.repository)
      const { headers, ownHeaders, timeoutMs } = this.#unstarted(methods.batchOperations, call.message, call.options)
      const isUnlimited = call.isUnhurried && call.options?.timeoutMs === undefined
      return this.interception.run({
        ...call,
        headers: allHeaders(headers, ownHeaders),
        timeoutMs: isUnlimited ? Number.POSITIVE_INFINITY : timeoutMs,
        mayTakeLong: call.options?.timeoutMs === undefined && mayBecomeDownload.has(call.method)
      })
    } catch (error) {
      return this.refused(call.method, error)
    }
  }

  /** Options for the requests of a call that takes several: each has the remaining time of the call's deadline. */
  shared(options: CallOptions): () => CallOptions & { timeoutMs: number } {
    const timeoutMs = checkNumber('timeoutMs', options.timeoutMs ?? this.options.timeoutMs)
    const endsAt = this.clock.now() + timeoutMs
    return () => ({ ...options, timeoutMs: Math.max(1, Math.ceil(endsAt - this.clock.now())) })
  }

  /**
   * Waits for the next attempt of operations that failed so often, or returns the reason why there is none. An abort and
   * the closing of the client end the wait; the next request then fails.
   */
  async mayTryAgain(error: BlobwireError, failures: number, options: CallOptions): Promise<RetryRefusal | undefined> {
    const { timeoutMs = 0, signal } = options
    const maxAttempts = policyOf(options)?.maxAttempts
    const waitMs = this.pipeline.retries.delayMs({ error, failures, remainingMs: timeoutMs, maxAttempts })
    if (typeof waitMs === 'string') return waitMs
    this.counters.retries++
    if (signal?.aborted || this.#closed) return undefined
    processHold.beginWork()
    await new Promise<void>((resolve) => {
      const end = () => {
        processHold.endWork()
        cancel()
        this.#waits.delete(end)
        if (signal !== undefined) stopListening(signal, listener)
        resolve()
      }
      const listener = { handleEvent: end }
      const cancel = this.clock.schedule(waitMs, end)
      this.#waits.add(end)
      if (signal !== undefined) listen(signal, listener)
    })
    return undefined
  }

  /** The same for calls that may move large content: without a time limit of their own, each request has the client's. */
  unhurried(options: CallOptions): () => CallOptions {
    return options.timeoutMs === undefined ? () => options : this.shared(options)
  }

  /** The server's capabilities. Concurrent and later calls share one request; after a failure, the next call sends another. */
  async capabilities(options: CallOptions = {}): Promise<Messages['GetCapabilitiesResponse']> {
    const remaining = this.shared(options)
    for (;;) {
      const { timeoutMs, signal } = remaining()
      const asked = this.#askCapabilities(options)
      try {
        return await sharedAnswer(asked.answer, { timeoutMs, signal: checkSignal(signal) }, this.clock)
      } catch (error) {
        // The call that sent the request had less time than this one.
        const endedEarly = error instanceof BlobwireError && error.code === 'deadline_exceeded'
        if (!endedEarly || asked.isOwn || signal?.aborted || remaining().timeoutMs <= 1) throw error
      }
    }
  }

  /** Without the signal of a call, because other calls may wait for the same request. */
  #askCapabilities({ signal: _, timeoutMs = this.options.timeoutMs, ...options }: CallOptions) {
    const isOwn = this.#capabilities === undefined
    this.#capabilities ??= this.invoke(methods.getCapabilities, {}, { ...options, timeoutMs }).then(
      (capabilities) => {
        this.caches.setLimits(capabilities.limits)
        this.pipeline.selector.offered(capabilities.transports.map(({ transport }) => transport))
        return { ...capabilities, limits: { ...this.caches.limits } }
      },
      (error) => {
        this.#capabilities = undefined
        throw error
      }
    )
    return { answer: this.#capabilities, isOwn }
  }

  /** Limits of the server, for calls that may have to be split. */
  async limits(options: CallOptions): Promise<Messages['Limits']> {
    await this.capabilities(options)
    return this.caches.limits
  }

  /** The transport of calls without the option `transport`. */
  get transport(): TransportName {
    return this.pipeline.selector.transport
  }

  /** Whether calls travel on sessions, unless a channel has found otherwise. */
  get usesSessions(): boolean {
    const inUse = this.pipeline.channels().filter(({ transport }) => transport === this.transport)
    return this.options.batch !== false && inUse.every(({ batcher }) => batcher?.mode === 'session')
  }

  /** Ends all calls and closes the connections. */
  async close(): Promise<void> {
    this.#closed = true
    processHold.beginWork()
    this.interception?.close()
    const closing = Promise.all([this.pipeline.close(), this.#transports.close()])
    for (const end of this.#waits) end()
    await closing.finally(processHold.endWork)
  }
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  const isController = signal instanceof AbortController
  throw invalidArgument(
    'signal',
    `must be an AbortSignal, not ${show(signal)}${isController ? '; use controller.signal' : ''}`
  )
}
