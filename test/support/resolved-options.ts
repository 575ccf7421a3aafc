/** The options of the table, as a client without them has them. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { resolveOptions } from '../../src/client/options.ts'
import type { ClientOptions } from '../../src/index.ts'
import { named } from './found-defaults.ts'

/** Options of the client, as they are resolved. */
export function resolvedOptions(endpoint: string): Readonly<Record<string, unknown>> {
  const resolved = resolveOptions({ endpoint })
  const isDefault = (transport: ClientOptions['transport']) =>
    isDeepStrictEqual(resolveOptions({ endpoint, transport }).transports, resolved.transports)
  const transport = (['auto', 'json', 'msgpack', 'grpc'] as const).find(isDefault)
  const hedge = resolved.hedge || undefined
  const { healthCheck } = resolveOptions({ endpoint, healthCheck: {} })
  const limits = { attemptTimeoutMs: 77, connection: { maxConnections: 7 } }
  const [ofEndpoint = assert.fail()] = resolveOptions({
    endpoint: [{ url: endpoint }],
    ...limits
  }).endpointOptions.values()
  return {
    ...named('ClientOptions', {
      ...resolved,
      transport,
      gzip: undefined,
      connectTimeoutMs: undefined
    }),
    ...named('PolicyOptions', { ...resolved, hedge }),
    ...named('HealthCheckOptions', healthCheck ?? assert.fail('no health check')),
    ...named('RetryOptions', resolved.retry),
    ...named('BreakerOptions', resolved.breaker || {}),
    ...named('ConcurrencyOptions', resolved.concurrency),
    ...named('AdaptiveOptions', resolved.adaptive),
    ...named('BatchOptions', resolved.batch || {}),
    ...named('ConnectionOptions', resolved.connection),
    ...named('EndpointOptions', { ...ofEndpoint, connection: ofEndpoint.connection.maxConnections })
  }
}
