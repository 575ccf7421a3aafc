/** The part of the program that looks after its client. */
import type {
  AdaptiveOptions,
  Client,
  ClientHealth,
  ClientUpdate,
  EndpointHealth,
  HealthCheckOptions,
  HealthCheckResult,
  HealthStatus,
  PoolUse,
  ReliabilitySummary,
  ReliabilityWindow
} from 'blobwire'
import { seen } from './interceptors.ts'

export const healthCheck: HealthCheckOptions = { intervalMs: 5000, timeoutMs: 1000 }

export const adaptive: AdaptiveOptions = { leastTimeoutMs: 250 }

export const calm: ClientUpdate = { concurrency: { maxCalls: 10 } }

export function operating(client: Client): void {
  client.update(calm)
  const health: ClientHealth = client.health()
  const pool: PoolUse = health.pool
  const status: HealthStatus = pool.use > 0.9 ? 'unhealthy' : health.status
  const endpoint: EndpointHealth | undefined = health.endpoints[0]
  const check: HealthCheckResult | undefined = endpoint?.check
  const reliability: ReliabilitySummary | undefined = endpoint
  const minute: ReliabilityWindow | undefined = reliability?.minute
  if (status === 'unhealthy') seen.push(check?.error?.message ?? `${minute?.successRatio}`)
}

/** The oid of a blob, or why there is none. */
export async function explained(client: Client): Promise<string> {
  const explanation = await client.explain(() => client.storeBlob('demo', 'x'))
  return explanation.ok ? explanation.value.oid : `${explanation.error}`
}
