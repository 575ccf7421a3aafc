/** Guards of limits that adapt, and of those that change while a client is open. */
import type { Guard } from './guard.ts'

const timeouts = ['test/balance/adaptive-timeout.test.ts']
const concurrency = ['test/balance/concurrency-limit.test.ts']
const update = ['test/client/update.test.ts']

export const guards: readonly Guard[] = [
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
    from: '      pickers.weigh()\n      onLimitChange()\n',
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
