/** Guards of the health of clients, its alerts, and the dashboard. */
import type { Guard } from './guard.ts'

const tests = ['test/balance/health.test.ts']
const reliability = 'src/balance/reliability.ts'
const checks = 'src/balance/health-check.ts'
const health = 'src/client/health.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a window forgets what is older',
    file: reliability,
    from: '      this.#counts.fill(0, place, place + width)\n',
    to: '',
    tests
  },
  {
    name: 'attempts that succeed are counted once',
    file: reliability,
    from: '    this.#counted = this.successes\n',
    to: '',
    tests
  },
  {
    name: 'a health check is the probe of an open breaker',
    file: checks,
    from: '    breaker?.reached()\n',
    to: '',
    tests
  },
  {
    name: 'a health check without an answer ends in time, and its request with it',
    file: checks,
    from: '    check.cancel(error)\n',
    to: '',
    tests
  },
  {
    name: 'an endpoint has one check at a time',
    file: checks,
    from: '      if (this.#checking.has(channel)) continue\n',
    to: '',
    tests
  },
  {
    name: 'a closed client checks nothing',
    file: checks,
    from: '    this.#cancelTimer()\n',
    to: '',
    tests
  },
  {
    name: 'a client is unhealthy above 90 % of its pool',
    file: health,
    from: "return use > unhealthyUse ? 'unhealthy' : 'degraded'",
    to: "return 'degraded'",
    tests
  },
  {
    name: 'while one endpoint works, the client is degraded',
    file: health,
    from: "? 'degraded' : worst",
    to: '? worst : worst',
    tests
  },
  {
    name: 'few attempts tell no ratio',
    file: health,
    from: 'leastFailures : leastAttempts',
    to: 'leastFailures : 0',
    tests
  },
  {
    name: 'the dashboard is for operators',
    file: 'server-fixture/admin/operator-routes.ts',
    from: "{ name: 'Dashboard', answer: serveDashboard }",
    to: "{ name: 'Dashboard', isOpen: true, answer: serveDashboard }",
    tests: ['test/operations/operator-paths.test.ts']
  },
  {
    name: 'the page of the dashboard runs its own scripts alone',
    file: 'server-fixture/dashboard/assets.ts',
    from: "    'content-security-policy': policy,\n",
    to: '',
    tests: ['test/operations/operator-paths.test.ts']
  },
  {
    name: 'health: an endpoint that answers nothing is unhealthy after a few attempts',
    file: 'src/client/health.ts',
    from: 'successRatio === 0 ? leastFailures : leastAttempts',
    to: 'leastAttempts',
    tests: ['test/balance/health.test.ts']
  },
  {
    name: 'health: the measurement of an adaptive limit is no full pool',
    file: 'src/client/pool-use.ts',
    from: 'pipeline.usualCalls()',
    to: 'pipeline.bulkhead.maxCalls',
    tests: ['test/balance/health.test.ts']
  }
]
