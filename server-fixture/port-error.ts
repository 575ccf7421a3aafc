/** Ports that a server cannot have, in words that say what to do. */

/** A port, and the flags that choose it. */
export interface WantedPort {
  readonly host: string
  readonly port: number
  /** The name of the listener: `http`, `grpc` or `admin`. */
  readonly name: 'http' | 'grpc' | 'admin'
}

const flagsOf = { http: '--http-port and --grpc-port choose others', admin: '--admin-port chooses another' }

function explain(code: string | undefined, { host, port, name }: WantedPort): string | undefined {
  const flags = flagsOf[name === 'admin' ? 'admin' : 'http']
  const hostFlag = name === 'admin' ? '--admin-host' : '--host'
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  if (code === 'EADDRINUSE') return `${address} is taken, perhaps by another server: ${flags}, 0 = any free port`
  if (code === 'EACCES') return `${address} is not for this user: ${flags}, such as one above 1023`
  if (code === 'EADDRNOTAVAIL') return `${host} (${hostFlag}) is no address of this machine`
  return code === 'ENOTFOUND' ? `${host} (${hostFlag}) has no address` : undefined
}

/** The error of a port that cannot be had. Its code stays. */
export function portError(error: NodeJS.ErrnoException, wanted: WantedPort): Error {
  const message = explain(error.code, wanted)
  if (message === undefined) return error
  return Object.assign(new Error(`${message} (${error.code})`, { cause: error }), { code: error.code })
}
