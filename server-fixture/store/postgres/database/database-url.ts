/** Reads the URLs of databases, as libpq writes them. No message repeats a URL: it may hold a password. */
import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import type pg from 'pg'
import { BlobwireError } from '../../../../src/core/error.ts'

/** A server of the database. */
export interface DatabaseEndpoint {
  /** For messages and metrics: `host:port/database`. */
  readonly name: string
  readonly config: pg.ClientConfig
}

/** Parameters of a URL that are read. */
const parameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name', 'host']
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full']
const defaultPort = 5432

function refusal(place: string, message: string): BlobwireError {
  return new BlobwireError({ code: 'invalid_argument', message: `${place}: ${message}` })
}

/** `require` trusts any certificate, unless an authority is named, as with libpq. */
async function tlsOf(given: URLSearchParams, place: string): Promise<ConnectionOptions | false> {
  const mode = given.get('sslmode') ?? (given.has('sslrootcert') ? 'verify-full' : 'disable')
  if (!sslModes.includes(mode)) throw refusal(place, `sslmode must be one of ${sslModes.join(', ')}`)
  if (mode === 'disable') return false
  const read = async (parameter: string) => {
    const path = given.get(parameter)
    if (path === null) return undefined
    return readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw refusal(place, `${parameter} ${JSON.stringify(path)} cannot be read: ${error.code}`)
    })
  }
  const [ca, cert, key] = await Promise.all(['sslrootcert', 'sslcert', 'sslkey'].map(read))
  if (mode === 'verify-ca' && ca === undefined) throw refusal(place, 'sslmode verify-ca requires sslrootcert')
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  if (mode === 'verify-full') return files
  return ca ? { ...files, checkServerIdentity: () => undefined } : { ...files, rejectUnauthorized: false }
}

/**
 * Reads a URL such as `postgres://user@host:5432/name?sslmode=verify-full`.
 *
 * @param password of a URL without one; called for each connection
 * @throws `invalid_argument`
 */
export async function readDatabaseUrl(
  text: string,
  password?: () => Promise<string | undefined>
): Promise<DatabaseEndpoint> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw refusal('the URL of the database', 'must be such as postgres://user@host:5432/name')
  }
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.+)\]$/, '$1')
  const port = Number(url.port || defaultPort)
  const user = decodeURIComponent(url.username)
  const database = decodeURIComponent(url.pathname.slice(1)) || user
  const name = `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
  const place = `the URL of the database ${name}`
  if (host === '' || user === '') throw refusal(place, 'must name a host and a user')
  for (const parameter of url.searchParams.keys()) {
    if (!parameters.includes(parameter)) {
      throw refusal(place, `unknown parameter ${parameter}; expected one of ${parameters.join(', ')}`)
    }
  }
  const given = url.password === '' ? password : decodeURIComponent(url.password)
  const config: pg.ClientConfig = {
    host,
    port,
    user,
    database,
    // The driver waits for what the function returns; without a password it is not asked for one.
    ...(given === undefined ? {} : { password: given as string }),
    ssl: await tlsOf(url.searchParams, place),
    application_name: url.searchParams.get('application_name') ?? 'blobwire'
  }
  return { name, config }
}
