/** Guards of observers, statistics, metrics and logs of the client. */
import type { Guard } from './guard.ts'

const call = 'src/telemetry/observed-call.ts'
const observers = 'test/telemetry/observers.test.ts'
const stats = 'test/telemetry/stats.test.ts'
const timelines = 'test/telemetry/timelines.test.ts'
const prometheus = 'test/telemetry/prometheus.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a slow call that failed tells its endpoint',
    file: 'src/call/running-call.ts',
    from: '{ ...facts, ...call }',
    to: '{ ...call, ...facts }',
    tests: [timelines]
  },
  {
    name: 'headers of observers travel with operations in frames',
    file: 'src/batch/to-operation.ts',
    from: 'observerHeaders === undefined ? own',
    to: 'observerHeaders !== null ? own',
    tests: [observers]
  },
  {
    name: 'headers of observers travel with requests',
    file: 'src/balance/endpoint-channel.ts',
    from: 'if (observerHeaders === undefined) return headers',
    to: 'if (observerHeaders !== null) return headers',
    tests: [observers]
  },
  {
    name: 'headers of observers travel with transfers',
    file: 'src/transfer/attempt.ts',
    from: 'added ? {',
    to: 'added === null ? {',
    tests: [observers]
  },
  {
    name: "a call's own headers have precedence over those of observers",
    file: 'src/batch/own-headers.ts',
    from: 'added.filter(({ name }) => given.every((header) => header.name !== name))',
    to: 'added.filter(() => given.length >= 0)',
    tests: [observers]
  },
  {
    name: 'calls share unary requests although observers give each a header of its own',
    file: 'src/batch/unary-fallback.ts',
    from: 'headers?.ofCall ?? headers',
    to: 'headers',
    tests: [observers]
  },
  {
    name: 'an observer that throws breaks no call',
    file: call,
    from: '      const { headers } = observer\n',
    to: '      const { headers } = observer\n      if (headers !== undefined) return headersOf(headers)\n    } catch (exception) {\n      throw exception\n    }\n    try {\n      const { headers } = observer\n',
    tests: [observers]
  },
  {
    name: 'a duration that equals a bound is below it',
    file: 'src/core/latency-histogram.ts',
    from: 'durationMs > (boundsMs',
    to: 'durationMs >= (boundsMs',
    tests: [stats]
  },
  {
    name: 'failures with reasons that a server invents have few rows',
    file: 'src/core/failure-counts.ts',
    from: 'this.#counts.size >= maxReasons',
    to: 'this.#counts.size < 0',
    tests: [stats]
  },
  {
    name: 'explain leaves out the calls of other work',
    file: 'src/client/explain.ts',
    from: '() => scope.isWithin()',
    to: '() => scope !== undefined',
    tests: [timelines]
  },
  {
    name: 'a slow call is told from the duration on that the option says',
    file: 'src/call/running-call.ts',
    from: 'if (durationMs >= telemetry.slowCallMs)',
    to: 'if (durationMs > telemetry.slowCallMs)',
    tests: [timelines]
  },
  {
    name: 'a logger that throws breaks no call',
    file: 'src/telemetry/telemetry.ts',
    from: '        (exception) => this.#loggerFailed(exception)\n',
    to: '        (exception) => { throw exception }\n',
    tests: [timelines]
  },
  {
    name: 'channels of calls are published while somebody has subscribed to any of them',
    file: 'src/platform/diagnostics.ts',
    from: 'callStart.hasSubscribers || callEnd.hasSubscribers ||',
    to: 'callStart.hasSubscribers ||',
    tests: ['test/platform/functions.test.ts']
  },
  {
    name: 'buckets are cumulative in Prometheus',
    file: 'src/prometheus/stats-metric.ts',
    from: 'count += inBucket',
    to: 'count = inBucket',
    tests: [prometheus]
  },
  {
    name: 'telemetry: the rejection of an observer is handled',
    file: 'src/telemetry/observed-call.ts',
    from: '    if (result instanceof Promise) result.catch(failed)\n',
    to: '',
    tests: ['test/telemetry/observers.test.ts']
  },
  {
    name: 'telemetry: reasons in attributes of durations stay bounded',
    file: 'src/opentelemetry/attributes.ts',
    from: 'if (this.#known.size < maxReasons)',
    to: 'if (maxReasons > 0)',
    tests: ['test/opentelemetry/metrics.test.ts']
  }
]
