/** Guards of the control of an open client: limits, time limits, priorities, breakers and idle connections. */
import type { Guard } from './guard.ts'

const control = ['test/client/runtime-control.test.ts']
const timeouts = ['test/balance/adaptive-timeout.test.ts']
const concurrency = ['test/balance/concurrency-limit.test.ts']
const update = ['test/client/update.test.ts']
const priority = ['test/call/priority.test.ts']

export const guards: readonly Guard[] = [
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
    from: 'endpointOptions.get(text) ?? {}',
    to: "endpointOptions.get('') ?? {}",
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
    name: 'attempts that were late are no answers',
    file: 'src/balance/adaptive-limits.ts',
    from: "else if (ending === 'late') this.timeout?.late(call, facts.beganAtMs)",
    to: "else if (ending === 'late') this.timeout?.answered(call, facts.beganAtMs)",
    tests: timeouts
  },
  {
    name: 'the time of attempts is doubled while they are late',
    file: 'src/balance/adaptive-timeout.ts',
    from: 'baseMs * 2 ** doublings',
    to: 'baseMs * 2 ** (doublings * 0)',
    tests: timeouts
  },
  {
    name: 'a doubled time comes down again',
    file: 'src/balance/adaptive-timeout.ts',
    from: '    state.doublings--\n',
    to: '',
    tests: timeouts
  },
  {
    name: 'attempts that are late together double the time once',
    file: 'src/balance/adaptive-timeout.ts',
    from: 'beganAtMs < state.doubledAtMs ||',
    to: '',
    tests: timeouts
  },
  {
    name: 'times are by the size of contents',
    file: 'src/balance/call-classes.ts',
    from: 'return size < smallBytes ? 0 : size < mediumBytes ? 1 : 2',
    to: 'return size * 0',
    tests: timeouts
  },
  {
    name: 'slow answers of the past leave the percentile',
    file: 'src/balance/recent-latency.ts',
    from: 'this.#now = oldest.fill(0)',
    to: 'this.#now = oldest',
    tests: timeouts
  },
  {
    name: 'the limit comes down where latency rises',
    file: 'src/balance/concurrency-limit.ts',
    from: 'Math.max(leastGradient, 1 / slowness)',
    to: 'Math.max(leastGradient, 1)',
    tests: concurrency
  },
  {
    name: 'a baseline that is of another time is measured again',
    file: 'src/balance/concurrency-limit.ts',
    from: 'this.#windowsAtLeast >= suspectWindows)',
    to: 'false)',
    tests: concurrency
  },
  {
    name: 'the baseline is measured again after its time',
    file: 'src/balance/concurrency-limit.ts',
    from: 'else if (now >= this.#measureAtMs) this.#isMeasuring = true',
    to: '',
    tests: concurrency
  },
  {
    name: 'the latency of each class of calls is compared with its own',
    file: 'src/balance/call-classes.ts',
    from: 'let states = this.#states.get(method)',
    to: 'let states = [...this.#states.values()][0]',
    tests: concurrency
  },
  {
    name: 'refusals bring the limit down',
    file: 'src/balance/concurrency-limit.ts',
    from: 'if (this.#hadOverload) next',
    to: 'if (false) next',
    tests: concurrency
  },
  {
    name: 'a limit that is not used does not grow',
    file: 'src/balance/concurrency-limit.ts',
    from: 'if (next > this.#limit && this.#peak < this.#limit / 2)',
    to: 'if (false)',
    tests: concurrency
  },
  {
    name: 'calls wait at the limit of their endpoints',
    file: 'src/call/bulkhead.ts',
    from: '    this.maxCalls = maxCalls\n    this.#admit',
    to: '    this.#admit',
    tests: concurrency
  },
  {
    name: 'an endpoint that can take more gets more',
    file: 'src/balance/endpoint-channel.ts',
    from: 'this.#ownWeight * (this.adaptive?.concurrency?.limit ?? 1)',
    to: 'this.#ownWeight',
    tests: concurrency
  },
  {
    name: 'an update changes all or nothing',
    file: 'src/client/runtime-control.ts',
    from: '  throwProblems(unchangeable(changes, invoker))\n',
    to: '',
    tests: update
  },
  {
    name: 'calls that wait begin when the limit is raised',
    file: 'src/call/pipeline.ts',
    from: '      for (const picker of pickers.values()) picker.weigh()\n      onLimitChange()\n',
    to: '',
    tests: update
  },
  {
    name: 'open connections keep the object of their options over several updates',
    file: 'src/client/runtime-control.ts',
    from: '{ ...own, connection: Object.assign(before.connection, own.connection) }',
    to: 'own',
    tests: update
  },
  {
    name: 'a shorter idle time counts for connections that are idle',
    file: 'src/connection/http2/connection-pool.ts',
    from: 'if (!this.#closed) this.#sweepLater()\n',
    to: '',
    tests: update,
    mayHang: true
  },
  {
    name: 'what an endpoint has taught stays over an update',
    file: 'src/balance/adaptive-limits.ts',
    from: 'before?.timeout ?? new',
    to: 'new',
    tests: update
  },
  {
    name: 'options that an update leaves out stay as they are',
    file: 'src/client/runtime-control.ts',
    from: '{ ...(isGroup(current) ? current : {}), ...Object.fromEntries(given) }',
    to: 'Object.fromEntries(given)',
    tests: update
  }
]
