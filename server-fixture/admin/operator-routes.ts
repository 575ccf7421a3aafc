/** The paths for operators, and for those who look after processes: health, metrics and the dashboard. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Authenticator } from '../auth.ts'
import { dashboardPaths, serveDashboard } from '../dashboard/assets.ts'
import type { Readiness } from '../health/health.ts'
import { respondError } from '../http/errors.ts'
import { type Exchange, headerOf, respondBody } from '../http/exchange.ts'
import { loadPart, MissingPackageError } from '../optional-package.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { serveFeed } from './feed-stream.ts'
import type { Operated } from './operated.ts'

/** The objects that the paths work with. */
export interface OperatorDependencies {
  readonly authenticator: Authenticator
  readonly operated: Operated
  /** Whoever reaches the listener may operate: the admin port. */
  readonly isTrusted: boolean
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
}

type Answer = (exchange: Exchange, dependencies: OperatorDependencies) => Promise<void>

/** A path of which everybody may ask, or operators alone. */
interface Route {
  readonly name: string
  readonly isOpen?: boolean
  readonly answer: Answer
}

const routes: Readonly<Record<string, Route>> = {
  '/healthz': { name: 'Health', isOpen: true, answer: healthz },
  '/health/live': { name: 'Health', isOpen: true, answer: live },
  '/health/ready': { name: 'Health', isOpen: true, answer: ready },
  '/metrics': { name: 'Metrics', answer: metrics },
  ...Object.fromEntries(dashboardPaths.map((path) => [path, { name: 'Dashboard', answer: serveDashboard }])),
  '/dashboard/events': { name: 'DashboardEvents', answer: serveFeed }
}

/** The function that answers requests of this path; undefined = it is none of these. */
export function operatorRoute(path: string): Answer | undefined {
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined) return undefined
  return async (exchange, dependencies) => {
    exchange.record.method = route.name
    try {
      if (!route.isOpen) checkOperator(exchange, dependencies)
      await route.answer(exchange, dependencies)
    } catch (error) {
      refuse(exchange, toBlobwireError(error))
    }
  }
}

function checkOperator(exchange: Exchange, { authenticator, isTrusted }: OperatorDependencies): void {
  if (!isTrusted) authenticator.authenticateOperator(headerOf(exchange, 'authorization'))
}

function isOperator(exchange: Exchange, dependencies: OperatorDependencies): boolean {
  try {
    checkOperator(exchange, dependencies)
    return true
  } catch {
    return false
  }
}

/** A browser asks its user for the token (RFC 7617): it is the password, the name may be any. */
function refuse(exchange: Exchange, error: BlobwireError): void {
  const isUnknown = error.code === 'unauthenticated'
  const headers = isUnknown ? { 'www-authenticate': 'Basic realm="blobwire", charset="UTF-8"' } : {}
  respondError(exchange, exchange.record.requestId, error, { headers })
}

function respondJson(exchange: Exchange, status: number, body: object): void {
  respondBody(exchange, status, Buffer.from(JSON.stringify(body)))
}

const statusOf = ({ ready: isReady }: Readiness) => (isReady ? 200 : 503)

/** In the words of gRPC's health checks. */
async function healthz(exchange: Exchange, { operated }: OperatorDependencies): Promise<void> {
  const found = await operated.health.look()
  respondJson(exchange, statusOf(found), { status: found.ready ? 'SERVING' : 'NOT_SERVING' })
}

/** The event loop answers: a restart would mend nothing. */
async function live(exchange: Exchange): Promise<void> {
  respondJson(exchange, 200, { status: 'live' })
}

async function ready(exchange: Exchange, dependencies: OperatorDependencies): Promise<void> {
  const found = await dependencies.operated.health.look()
  const status = found.ready ? 'ready' : 'not_ready'
  const details = isOperator(exchange, dependencies) ? { checks: found.checks } : {}
  respondJson(exchange, statusOf(found), { status, ...details })
}

const loadPrometheus = () => import('../metrics/prometheus.ts')

function unimplemented(error: Error): never {
  if (!(error instanceof MissingPackageError)) throw error
  throw new BlobwireError({ code: 'unimplemented', message: error.message })
}

async function metrics(exchange: Exchange, { operated }: OperatorDependencies): Promise<void> {
  const { metricsContentType, metricsText } = await loadPart('/metrics', 'prom-client', loadPrometheus).catch(
    unimplemented
  )
  const text = await metricsText(await operated.figures.snapshot())
  respondBody(exchange, 200, Buffer.from(text), metricsContentType)
}
