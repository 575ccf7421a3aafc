/** Options that mean nothing where the runtime makes the connections. */
import type { FieldViolation } from '../../core/error.ts'
import { throwProblems } from '../../options/check.ts'
import { resolveConnection } from '../../options/resolve.ts'
import type { ResolvedConnectionOptions } from '../../options/types.ts'
import { emitWarning } from '../../platform/warnings.ts'
import type { ResolvedOptions } from '../options.ts'

const useHttp = 'this runtime has no gRPC; use an http(s):// endpoint with the transport msgpack, json or auto'

/**
 * Options without which the client would do something else than was asked for are refused; those that only tune connections
 * are told once, so that one configuration serves Node and a browser.
 * @throws BlobwireError `invalid_argument`
 */
export function checkOptions(options: ResolvedOptions): void {
  const problems: FieldViolation[] = []
  const refuse = (field: string, description: string) => void problems.push({ field, description })
  if (options.transports[0] === 'grpc') refuse('transport', useHttp)
  const { rejectUnauthorized = true, minVersion = 'TLSv1.2', ...tls } = options.tls
  for (const [name, value] of Object.entries({ ...tls, ...(rejectUnauthorized ? {} : { rejectUnauthorized }) })) {
    if (value !== undefined)
      refuse(`tls.${name}`, "cannot be given here: TLS is the runtime's, with its own authorities")
  }
  const { connection } = options
  if (connection.proxy !== undefined) refuse('connection.proxy', "cannot be given here: proxies are the runtime's")
  throwProblems(problems)
  const ignored = changedOf(connection)
  if (minVersion !== 'TLSv1.2') ignored.push('tls.minVersion')
  if (ignored.length > 0) emitWarning(`options without effect in this runtime: ${ignored.join(', ')}`, connectionsAre)
}

const connectionsAre = "connections are the runtime's: their number, age and times cannot be set"

/** The options of connections that are not as they are by default. */
function changedOf(connection: ResolvedConnectionOptions): string[] {
  const defaults = resolveConnection(undefined) as unknown as Readonly<Record<string, unknown>>
  return Object.entries(connection)
    .filter(([name, value]) => value !== defaults[name])
    .map(([name]) => `connection.${name}`)
}
