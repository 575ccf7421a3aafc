/** A request of a Git client, and the answers that such clients understand. */
import type { OutgoingHttpHeaders } from 'node:http'
import { httpStatusFromCode } from '../../src/core/code.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { type Exchange, headerOf } from '../http/exchange.ts'
import type { HandlerDependencies } from '../listener.ts'
import type { Principal } from '../service/context.ts'
import type { Transfer } from '../transfers/transfer.ts'
import type { GitServiceName } from './git-address.ts'
import type { GitRemotes } from './git-remotes.ts'

/** A request whose caller may make it. */
export interface GitRequest extends HandlerDependencies {
  readonly git: GitRemotes
  readonly exchange: Exchange
  readonly service: HandlerDependencies['service']
  readonly repository: string
  readonly principal: Principal
  readonly requestId: string
  /** Ends the request early where the client goes, nothing moves, or the server drains. */
  readonly transfer: Transfer
  /** For the variable GIT_PROTOCOL; undefined = the client asks for none. */
  readonly protocol: string | undefined
}

/** One of the services of Git: both halves of a fetch, or of a push. */
export interface GitService {
  readonly access: 'read' | 'write'
  /** Answers `info/refs`. */
  advertise(request: GitRequest): Promise<void>
  /** Answers the request that follows. */
  serve(request: GitRequest): Promise<void>
}

/** The headers with which git-http-backend(1) forbids caches to keep an answer. */
export const uncached: Readonly<Record<string, string>> = {
  expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  pragma: 'no-cache',
  'cache-control': 'no-cache, max-age=0, must-revalidate'
}

/** The header of a packet line, four hexadecimal digits, and its text (gitprotocol-common(5)). */
const packetLine = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`

/** Before the refs of protocols 0 and 1 (gitprotocol-http(5), "Smart Server Response"). */
export const serviceLine = (service: GitServiceName): string => `${packetLine(`# service=${service}\n`)}0000`

/** Version 2 is asked for among the values that colons separate (gitprotocol-v2(5)). */
export const isVersion2 = (protocol: string | undefined): boolean => protocol?.split(':').includes('version=2') === true

/** It becomes a variable of a process. A value in another form asks for nothing that Git knows. */
export function protocolOf(exchange: Exchange): string | undefined {
  const value = headerOf(exchange, 'git-protocol')
  return value !== undefined && /^[\w.=:-]{1,256}$/.test(value) ? value : undefined
}

/** Refuses in plain text, which Git shows to its user line by line. */
export function refuse(
  exchange: Exchange,
  error: BlobwireError,
  { status = httpStatusFromCode[error.code], headers }: { status?: number; headers?: OutgoingHttpHeaders } = {}
): void {
  exchange.record.failed(error)
  const body = Buffer.from(`${error.message}\n`)
  const { retryAfterMs } = error.details
  exchange.respond(
    status,
    {
      ...uncached,
      ...headers,
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(body.length),
      'x-request-id': exchange.record.requestId,
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) })
    },
    body
  )
}
