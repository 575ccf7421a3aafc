/** Guards of the control of an open client: priorities, endpoints, breakers and idle connections. */
import type { Guard } from './guard.ts'

const control = ['test/client/runtime-control.test.ts']
const priority = ['test/call/priority.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a closed breaker that is reset does not tell that it closes',
    file: 'src/balance/circuit-breaker.ts',
    from: '    if (!wasClosed) this.onState',
    to: '    this.onState',
    tests: ['test/client/runtime-control.test.ts']
  },
  {
    name: 'a time that equals that of the client bounds a read that becomes a download, too',
    file: 'src/client/large-reads.ts',
    from: 'timeoutMs: hasOwnTimeout ?',
    to: 'timeoutMs: hasOwnTimeout && call.timeoutMs !== client.options.timeoutMs ?',
    tests: ['test/large/large-reads.test.ts'],
    mayHang: true
  },
  {
    name: 'a breaker that is reset forgets how often it opened in a row',
    file: 'src/balance/circuit-breaker.ts',
    from: '  reset(): void {\n    this.#openingsInRow = 0\n',
    to: '  reset(): void {\n',
    tests: control
  },
  {
    name: 'a session that the server has ended does not keep its connection from being idle',
    file: 'src/transport/http/session.ts',
    from: '    this.#control?.over()\n',
    to: '',
    tests: control,
    mayHang: true
  },
  {
    name: 'closing idle connections ends no session with calls under way',
    file: 'src/batch/batcher.ts',
    from: 'if (this.isIdle) await this.#frames.end()',
    to: 'await this.#frames.end()',
    tests: control,
    mayHang: true
  },
  {
    name: 'idle endpoints get calls in proportion to their weights',
    file: 'src/balance/picker.ts',
    from: 'this.#servedAt[best.place] = best.servedAt',
    to: '',
    tests: ['test/balance/picker.test.ts']
  },
  {
    name: 'an endpoint that was away is not given the calls that it missed',
    file: 'src/balance/picker.ts',
    from: 'Math.max(this.#virtualTime, (this.#servedAt[place] as number) + cost)',
    to: '(this.#servedAt[place] as number) + cost',
    tests: ['test/balance/picker.test.ts']
  },
  {
    name: 'the load of an endpoint counts for its weight',
    file: 'src/balance/picker.ts',
    from: 'Number.MAX_VALUE : channel.inFlight * cost',
    to: 'Number.MAX_VALUE : channel.inFlight',
    tests: ['test/balance/picker.test.ts']
  },
  {
    name: 'an endpoint has its own time for an attempt',
    file: 'src/balance/endpoint-channel.ts',
    from: 'const timeoutMs = own.attemptTimeoutMs',
    to: 'const timeoutMs = this.#context.attemptTimeoutMs',
    tests: ['test/client/timeouts.test.ts']
  },
  {
    name: 'an endpoint has its own connections',
    file: 'src/client/transport-factory.ts',
    from: 'endpointOptions.get(text)?.connection',
    to: "endpointOptions.get('')?.connection",
    tests: control
  },
  {
    name: 'waits without jitter are whole',
    file: 'src/retry/policy.ts',
    from: '(jitter ? random() : 1)',
    to: 'random()',
    tests: ['test/retry/retry.test.ts']
  },
  {
    name: 'waits grow by their factor',
    file: 'src/retry/policy.ts',
    from: 'baseMs * factor ** (failures - 1)',
    to: 'baseMs * 2 ** (failures - 1)',
    tests: ['test/retry/retry.test.ts']
  },
  {
    name: 'requests over gRPC name the application',
    file: 'src/connection/grpc/channel-options.ts',
    from: "    'grpc.primary_user_agent': context.userAgent,\n",
    to: '',
    tests: ['test/client/user-agent.test.ts']
  },
  {
    name: 'requests over HTTP name the application',
    file: 'src/balance/endpoint-channel.ts',
    from: ", 'user-agent': userAgent, ",
    to: ', ',
    tests: ['test/client/user-agent.test.ts']
  },
  {
    name: 'a background call that waits has a turn while interactive ones wait',
    file: 'src/call/bulkhead.ts',
    from: '++this.#turns < backgroundTurn',
    to: 'true',
    tests: priority
  },
  {
    name: 'background calls have no more than their turns',
    file: 'src/call/bulkhead.ts',
    from: 'if (this.#interactive.size > 0 && ++this.#turns',
    to: 'if (this.#interactive.size > 1e9 && ++this.#turns',
    tests: priority
  },
  {
    name: 'where the queue is full, a background call makes room',
    file: 'src/call/bulkhead.ts',
    from: 'const last = this.#background.takeLast()',
    to: 'const last = this.#interactive.takeLast()',
    tests: priority
  },
  {
    name: 'interactive operations go before background ones into a frame',
    file: 'src/batch/priority-queue.ts',
    from: '++this.#turns >= backgroundTurn ||',
    to: 'true ||',
    tests: priority
  },
  {
    name: 'background operations begin each fifth frame',
    file: 'src/batch/priority-queue.ts',
    from: '++this.#turns >= backgroundTurn ||',
    to: 'false ||',
    tests: priority
  },
  {
    name: 'operations of one repository stand together in a frame, whatever their priority',
    file: 'src/batch/priority-queue.ts',
    from: 'together([...first, ...rest])',
    to: '[...first, ...rest]',
    tests: priority
  },
  {
    name: 'a full queue of operations sheds background ones first',
    file: 'src/batch/priority-queue.ts',
    from: 'const last = this.#background?.takeLast()',
    to: 'const last = undefined',
    tests: priority
  },
  {
    name: 'a call has the priority of its client',
    file: 'src/client/call-invoker.ts',
    from: 'options.priority === undefined ? priority :',
    to: "options.priority === undefined ? 'interactive' :",
    tests: priority
  },
  {
    name: 'certificates are checked in production, whatever the options say',
    file: 'src/client/options.ts',
    from: "checked.environment === 'production') {",
    to: 'false) {',
    tests: ['test/client/tls.test.ts', 'test/client/mistaken-options.test.ts']
  },
  {
    name: 'certificates are checked over HTTP where nothing is said',
    file: 'src/connection/dial/connector.ts',
    from: 'rejectUnauthorized: context.tls.rejectUnauthorized ?? true,',
    to: 'rejectUnauthorized: false,',
    tests: ['test/client/tls.test.ts']
  },
  {
    name: 'certificates are checked over gRPC where nothing is said',
    file: 'src/connection/grpc/channel-options.ts',
    from: 'rejectUnauthorized: tls.rejectUnauthorized ?? true,',
    to: 'rejectUnauthorized: false,',
    tests: ['test/client/tls.test.ts']
  },
  {
    name: 'a call has as many attempts as it says',
    file: 'src/retry/retrying-call.ts',
    from: '      maxAttempts: this.#call.policy?.maxAttempts,\n',
    to: '',
    tests: ['test/call/call-policy.test.ts']
  },
  {
    name: 'an attempt has the time that its call says',
    file: 'src/retry/attempt.ts',
    from: 'this.call.policy?.attemptTimeoutMs ??',
    to: '',
    tests: ['test/call/call-policy.test.ts']
  },
  {
    name: 'a call is hedged as it says',
    file: 'src/retry/retrier.ts',
    from: 'call.policy?.hedge ?? this.#context.hedge',
    to: 'this.#context.hedge',
    tests: ['test/call/call-policy.test.ts']
  }
]
