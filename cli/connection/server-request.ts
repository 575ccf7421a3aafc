/** Requests to the paths of a server for operators (docs/operating.md), with the address and the token of a client. */
import type { Readable } from 'node:stream'
import type { ClientOptions } from '../../src/index.ts'
import { CommandError, exitCodes } from '../errors.ts'

export interface ServerRequest {
  readonly options: ClientOptions
  readonly path: string
  readonly signal: AbortSignal
}

/** The answer of a server. */
export interface ServerResponse {
  readonly statusCode: number
  readonly body: Readable & { text(): Promise<string> }
}

/** The addresses of a client. */
export function addressesOf({ endpoint }: ClientOptions): string[] {
  return [endpoint].flat().map((each) => (typeof each === 'string' ? each : each.url))
}

/** The first address of the client that speaks HTTP; undefined = it has gRPC alone. */
export function httpAddress(options: ClientOptions): string | undefined {
  return addressesOf(options).find((url) => /^https?:/i.test(url))
}

/** The work has the answer; its connection is closed afterwards. @throws CommandError where there is no such address, or nobody answers there */
export async function requestServer<Result>(
  { options, path, signal }: ServerRequest,
  work: (response: ServerResponse) => Promise<Result>
): Promise<Result> {
  const address = httpAddress(options)
  if (address === undefined) throw new CommandError('--endpoint must be an http:// or https:// address of the server')
  const { Agent, request } = await import('undici')
  const { ca, cert, key } = options.tls ?? {}
  const connect = { ...(ca && { ca: [ca].flat() }), ...(cert && { cert }), ...(key && { key }) } as object
  const token = typeof options.token === 'function' ? await options.token() : options.token
  const dispatcher = new Agent({ connect, keepAliveTimeout: 1, bodyTimeout: 0 })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = request(new URL(path, address), { dispatcher, headers, signal }).catch((error) => {
    if (signal.aborted) throw error
    throw new CommandError(`${address} does not answer: ${error.message}`, {
      cause: error,
      exitCode: exitCodes.unavailable
    })
  })
  try {
    return await work(await answer)
  } finally {
    await dispatcher.destroy()
  }
}
