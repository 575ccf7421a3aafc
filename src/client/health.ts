/** The health of a client: how much of its pool is in use, and how its endpoints do. Nothing is sent for it. */
import type { EndpointChannel } from '../balance/endpoint-channel.ts'
import type { HealthCheckResult } from '../balance/health-check.ts'
import type { ReliabilitySummary, ReliabilityWindow } from '../balance/reliability.ts'
import type { TransportName } from '../core/error.ts'
import type { CallInvoker } from './call-invoker.ts'
import { type PoolUse, type PoolUseContext, poolUse } from './pool-use.ts'

/** `healthy` = nothing to do; `degraded` = calls still pass, and somebody should look; `unhealthy` = calls wait or fail. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

/** The health of one endpoint over the transport in use. */
export interface EndpointHealth extends ReliabilitySummary {
  /** The endpoint as the option `endpoint` names it. */
  endpoint: string
  /** The address, with `connection.addresses: 'all'`; undefined = any of the endpoint's. */
  address: string | undefined
  transport: TransportName
  status: HealthStatus
  /** See `EndpointStats`. */
  breaker: 'closed' | 'open' | 'half_open' | 'off'
  /** Number of attempts under way. */
  inFlight: number
  /** The last health check; undefined = there was none (option `healthCheck`). */
  check: HealthCheckResult | undefined
}

/** The health of a client. */
export interface ClientHealth {
  status: HealthStatus
  /** Why the client is not healthy, one sentence for each cause; empty where it is. */
  causes: string[]
  pool: PoolUse
  /** The endpoints over the transport in use; with `connection.addresses: 'all'`, each address is one. */
  endpoints: EndpointHealth[]
}

/** Shares of the pool from which a client is degraded, and above which it is unhealthy. */
const degradedUse = 0.7
const unhealthyUse = 0.9
/** Share of attempts that succeed, below which an endpoint is degraded, and below which it is unhealthy. */
const degradedRatio = 0.95
const unhealthyRatio = 0.5
/** Fewer attempts than this in the last minute tell no ratio; so many of which none succeeded tell enough. */
const leastAttempts = 20
const leastFailures = 3

const ranks: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy']

/** The worst one; without any, `healthy`. */
export function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  return ranks[Math.max(0, ...statuses.map((status) => ranks.indexOf(status)))] as HealthStatus
}

const percent = (share: number) => `${Math.round(share * 100)} %`

type HealthContext = PoolUseContext & Pick<CallInvoker, 'clock'>

/**
 * Collects the health of a client.
 * @internal
 */
export function healthOf(invoker: HealthContext): ClientHealth {
  const { pipeline, clock } = invoker
  const { healthChecks, selector } = pipeline
  const { transport } = selector
  const causes: string[] = []
  const channels = pipeline.channels().filter((channel) => channel.transport === transport)
  const endpoints = channels.map((channel) => {
    const check = healthChecks?.resultOf(channel)
    return endpointHealth(channel, { check, nowMs: clock.now(), causes })
  })
  const pool = poolUse(invoker)
  const ofPool = statusOfPool(pool, causes)
  return { status: worstOf([ofPool, ofAll(endpoints)]), causes, pool, endpoints }
}

/** While one endpoint of several is not unhealthy, calls pass. */
function ofAll(endpoints: readonly EndpointHealth[]): HealthStatus {
  const statuses = endpoints.map(({ status }) => status)
  const worst = worstOf(statuses)
  return worst === 'unhealthy' && statuses.some((status) => status !== 'unhealthy') ? 'degraded' : worst
}

function statusOfPool({ use, running, maxCalls, waiting }: PoolUse, causes: string[]): HealthStatus {
  if (use < degradedUse) return 'healthy'
  causes.push(`${percent(use)} of the pool is in use: ${running} of ${maxCalls} calls are under way, ${waiting} wait`)
  return use > unhealthyUse ? 'unhealthy' : 'degraded'
}

interface EndpointContext {
  readonly check: HealthCheckResult | undefined
  readonly nowMs: number
  readonly causes: string[]
}

function endpointHealth(channel: EndpointChannel, { check, nowMs, causes }: EndpointContext): EndpointHealth {
  const { endpoint, address, transport, inFlight, reliability } = channel
  const breaker = channel.breaker?.state ?? ('off' as const)
  const { minute, hour } = reliability.summary(nowMs)
  const why = (words: string) => causes.push(`${endpoint}${address === undefined ? '' : ` at ${address}`}: ${words}`)
  const status = worstOf([
    statusOfBreaker(breaker, why),
    statusOfRatio(minute, why),
    check?.error === undefined ? 'healthy' : 'degraded'
  ])
  if (check?.error !== undefined) why(`the last health check failed: ${check.error.message}`)
  return { endpoint, address, transport, status, breaker, inFlight, check, minute, hour }
}

function statusOfBreaker(state: EndpointHealth['breaker'], why: (words: string) => void): HealthStatus {
  if (state === 'closed' || state === 'off') return 'healthy'
  why(state === 'open' ? 'the circuit breaker is open' : 'the circuit breaker waits for its probe')
  return state === 'open' ? 'unhealthy' : 'degraded'
}

function statusOfRatio({ attempts, successRatio }: ReliabilityWindow, why: (words: string) => void): HealthStatus {
  if (successRatio === undefined || successRatio >= degradedRatio) return 'healthy'
  if (attempts < (successRatio === 0 ? leastFailures : leastAttempts)) return 'healthy'
  why(`${percent(successRatio)} of ${attempts} attempts succeeded in the last minute`)
  return successRatio < unhealthyRatio ? 'unhealthy' : 'degraded'
}
