import type { TLSSocket } from 'node:tls'
import { buildConnector, Client, type Dispatcher, Pool } from 'undici'
import { type Endpoint, originOf } from './endpoint.ts'
import { secureContext, type TlsOptions } from './tls.ts'

/** HTTP/2's own 64 KiB cap bulk transfer at 3 MiB/s over 20 ms; these allow some 200 MiB/s (RFC 9113 section 6.9.2). */
const streamWindowBytes = 8 * 1024 * 1024
const connectionWindowBytes = 32 * 1024 * 1024

/** Streams in flight on the one connection, where the server allows as many. */
const maxStreams = 1000

/** HTTP/1.1 has one request at a time on each connection. */
const http1Connections = 8

const idleTimeoutMs = 90_000

/** How a connection is made. */
export interface ConnectOptions {
  readonly tls: TlsOptions
  readonly connectTimeoutMs: number
}

/** Each call has one deadline of its own; timers on parts of it would only blur what happened. */
const commonOptions = {
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: idleTimeoutMs,
  maxHeaderSize: 64 * 1024
}

function connectorOf({ secure }: Endpoint, { tls, connectTimeoutMs }: ConnectOptions, allowH2: boolean) {
  // Without TLS there is nothing to agree by: HTTP/2 with prior knowledge (RFC 9113 section 3.3). undici's types do not
  // have the option; test/faults/http1.test.ts and the case table notice when it is gone.
  const cleartext = { useH2c: allowH2 && !secure } as object
  return buildConnector({
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    allowH2,
    ...cleartext,
    ...(secure ? { secureContext: secureContext(tls), ...(allowH2 ? { preferH2: true } : {}) } : {}),
    ...(secure && tls.serverName !== undefined ? { servername: tls.serverName } : {})
  })
}

/** One HTTP/2 connection; `onHttp1` is called where TLS agreed on HTTP/1.1 instead. */
export function openHttp2Client(endpoint: Endpoint, options: ConnectOptions, onHttp1: () => void): Dispatcher {
  const connect = connectorOf(endpoint, options, true)
  return new Client(originOf(endpoint), {
    ...commonOptions,
    allowH2: true,
    h2Options: {
      useH2c: !endpoint.secure,
      maxConcurrentStreams: maxStreams,
      connectionWindowSize: connectionWindowBytes,
      settings: { initialWindowSize: streamWindowBytes }
    },
    connect(target, callback) {
      connect(target, (...result) => {
        const [error, socket] = result
        if (error === null && endpoint.secure && (socket as TLSSocket).alpnProtocol !== 'h2') onHttp1()
        callback(...result)
      })
    }
  })
}

/** A few HTTP/1.1 connections. */
export function openHttp1Pool(endpoint: Endpoint, options: ConnectOptions): Dispatcher {
  return new Pool(originOf(endpoint), {
    ...commonOptions,
    allowH2: false,
    connections: http1Connections,
    connect: connectorOf(endpoint, options, false)
  })
}
