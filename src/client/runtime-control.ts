/** Control of an open client: by an operator, not by its calls. */
import { show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import type { CallInvoker } from './call-invoker.ts'

/** Closes circuit breakers. @throws BlobwireError `invalid_argument` for an endpoint that the client does not have */
export function resetBreakers({ options, pipeline }: CallInvoker, endpoint: string | undefined): void {
  if (endpoint !== undefined && !options.endpoints.has(endpoint)) {
    const given = [...options.endpoints.keys()].join(', ')
    throw invalidArgument('endpoint', `must be one of the client's endpoints (${given}), not ${show(endpoint)}`)
  }
  for (const channel of pipeline.channels()) {
    if (endpoint === undefined || channel.endpoint === endpoint) channel.breaker?.reset()
  }
}

/** Closes the connections on which nothing is under way. */
export async function closeIdleConnections({ pipeline }: CallInvoker): Promise<void> {
  await Promise.all(pipeline.channels().map((channel) => channel.closeIdle()))
}
