/** Attributes after OpenTelemetry's semantic conventions for RPC (stable since version 1.45), gRPC and Connect. */
import type { Attributes } from '@opentelemetry/api'
import type { BlobwireError, TransportName } from '../index.ts'

/** The default ports, which an endpoint leaves out. */
const ports: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** The server's address, as the endpoint names it. */
function serverOf(endpoint: string): Attributes {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined) return { 'server.address': endpoint }
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? ports[url.protocol] : Number(url.port)
  return port === undefined ? { 'server.address': address } : { 'server.address': address, 'server.port': port }
}

/** Made once for each endpoint, transport and method: a client has few of them. */
export class AttributeCache {
  readonly #known = new Map<string, Map<string, Attributes>>()

  /** Those of an attempt. The same object each time. */
  ofAttempt(rpc: string, endpoint: string, transport: TransportName): Attributes {
    let known = this.#known.get(rpc)
    if (known === undefined) {
      known = new Map()
      this.#known.set(rpc, known)
    }
    const key = `${transport} ${endpoint}`
    let attributes = known.get(key)
    if (attributes === undefined) {
      attributes = {
        'rpc.system.name': systemOf(transport),
        'rpc.method': rpc,
        ...serverOf(endpoint),
        'blobwire.transport': transport
      }
      known.set(key, attributes)
    }
    return attributes
  }
}

/** The protocol of a transport, by the names of the conventions. */
function systemOf(transport: TransportName): string {
  return transport === 'grpc' ? 'grpc' : 'connectrpc'
}

/** A server may send any reason, and each is a series of a metric: beyond so many, there is none in the attributes. */
const maxReasons = 100

export class KnownReasons {
  readonly #known = new Set<unknown>()

  bounded({ 'blobwire.reason': reason, ...status }: Attributes): Attributes {
    if (reason === undefined) return status
    if (this.#known.size < maxReasons) this.#known.add(reason)
    return this.#known.has(reason) ? { ...status, 'blobwire.reason': reason } : status
  }
}

/** The outcome of a call or an attempt. gRPC writes its codes in upper case, Connect in lower case. */
export function statusOf(error: BlobwireError | undefined, transport: TransportName | undefined): Attributes {
  const isGrpc = transport === 'grpc'
  if (error === undefined) return isGrpc ? { 'rpc.response.status_code': 'OK' } : {}
  const code = isGrpc ? error.code.toUpperCase() : error.code
  const status = { 'rpc.response.status_code': code, 'error.type': code }
  return error.reason === '' ? status : { ...status, 'blobwire.reason': error.reason }
}
