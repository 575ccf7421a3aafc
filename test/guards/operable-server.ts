/** Guards of the server's metrics, health, access log and paths for operators. */
import type { Guard } from './guard.ts'

const server = 'server-fixture'
const paths = ['test/operations/operator-paths.test.ts']
const health = ['test/operations/health.test.ts']
const log = ['test/operations/access-log.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'metrics and the feed need an operator',
    file: `${server}/admin/operator-routes.ts`,
    from: 'if (!route.isOpen) checkOperator(exchange, dependencies)',
    to: '',
    tests: paths
  },
  {
    name: 'a token operates by its grant alone',
    file: `${server}/auth.ts`,
    from: 'if (find(bearerOf(authorization)).grant.operate === true) return',
    to: 'if (find(bearerOf(authorization))) return',
    tests: paths
  },
  {
    name: 'access "none" is no right to read',
    file: `${server}/auth.ts`,
    from: "(grant.access === 'write' || grant.access === access) &&",
    to: "(grant.access !== 'read' || grant.access === access) &&",
    tests: paths
  },
  {
    name: 'the details of health are for operators',
    file: `${server}/admin/operator-routes.ts`,
    from: 'isOperator(exchange, dependencies) ? { checks: found.checks } : {}',
    to: '{ checks: found.checks }',
    tests: paths
  },
  {
    name: 'the admin port does not answer to other names',
    file: `${server}/admin/admin-route.ts`,
    from: 'if (refuseHost(exchange, hosts)) return',
    to: '',
    tests: paths
  },
  {
    name: 'a feed ends when the server drains',
    file: `${server}/admin/feed-stream.ts`,
    from: "else draining.addEventListener('abort', end)",
    to: '',
    tests: paths
  },
  {
    name: 'the operations of frames are counted',
    file: `${server}/service/session-frames.ts`,
    from: '      metrics.batchEnded(batch.batch.operations, results, durationMs)\n',
    to: '',
    tests: paths
  },
  {
    name: 'an operation that failed is no success',
    file: `${server}/metrics/call-table.ts`,
    from: 'if (error === undefined) succeeded++',
    to: 'if (error === undefined || true) succeeded++',
    tests: paths
  },
  {
    name: 'a call that ends before its message came is no longer in flight',
    file: `${server}/grpc/incoming-calls.ts`,
    from: "    stream.once('close', () => record.abandoned())\n",
    to: '',
    tests: paths
  },
  {
    name: 'a request counts once it is answered',
    file: `${server}/http/http-server.ts`,
    from: '      .finally(() => exchange.record.end())\n',
    to: '',
    tests: paths
  },
  {
    name: 'sessions are not in flight',
    file: `${server}/metrics/request-record.ts`,
    from: '    this.metrics.lasting++\n',
    to: '',
    tests: paths
  },
  {
    name: 'a store that does not answer in time is not ready',
    file: `${server}/health/health.ts`,
    from: 'this.#clock.schedule(storeTimeoutMs, () => resolve(late))',
    to: 'this.#clock.schedule(storeTimeoutMs, () => resolve({ ...late, ok: true }))',
    tests: health
  },
  {
    name: 'the store is looked at once a second',
    file: `${server}/health/health.ts`,
    from: ' || nowMs - last.atMs < keptMs',
    to: '',
    tests: health
  },
  {
    name: 'a full budget makes the server unready after a while only',
    file: `${server}/health/health.ts`,
    from: 'this.#fullSinceMs === undefined || nowMs - this.#fullSinceMs < fullForMs',
    to: 'this.#fullSinceMs === undefined',
    tests: health
  },
  {
    name: 'details of health name no files',
    file: `${server}/health/health.ts`,
    from: "?.code ?? 'failed'",
    to: "?.message ?? 'failed'",
    tests: health
  },
  {
    name: 'a server that closes is not ready from the beginning',
    file: `${server}/server.ts`,
    from: '    operated.health.drain()\n',
    to: '',
    tests: health
  },
  {
    name: 'gRPC tells of health as HTTP does',
    file: `${server}/grpc/standard-services.ts`,
    from: '    health.onChange(tell)\n',
    to: '',
    tests: health
  },
  {
    name: 'lines that wait are bounded',
    file: `${server}/access-log/line-writer.ts`,
    from: 'this.#isClosed || this.#waitingBytes + line.length > maxWaitingBytes',
    to: 'this.#isClosed',
    tests: log
  },
  {
    name: 'the rest of a short write follows',
    file: `${server}/access-log/line-writer.ts`,
    from: 'bytes = bytes.subarray(await this.#calls.write(this.#file, bytes))',
    to: 'bytes = bytes.subarray((await this.#calls.write(this.#file, bytes)) && bytes.length)',
    tests: log
  },
  {
    name: 'a full pipe is no problem to tell of',
    file: `${server}/access-log/line-writer.ts`,
    from: "(error as NodeJS.ErrnoException).code !== 'EAGAIN' && ",
    to: '',
    tests: log
  },
  {
    name: 'SIGHUP opens the file anew',
    file: `${server}/access-log/line-writer.ts`,
    from: '    this.#file = opened\n',
    to: '',
    tests: log
  }
]
