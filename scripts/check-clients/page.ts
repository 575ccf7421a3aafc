/** Runs in the page of a browser: the calls of connect-web. */
import type { Transport } from '@connectrpc/connect'
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web'
import { callConnect, serviceIn } from './connect-calls.ts'
import type { Cells } from './outcome.ts'

/** One form of the client. */
export interface PageCall {
  readonly baseUrl: string
  /** A `FileDescriptorSet`. */
  readonly descriptors: readonly number[]
  readonly repository: string
  readonly protocol: 'Connect' | 'Connect with GET' | 'gRPC-Web'
}

function transportOf({ protocol, baseUrl }: PageCall): Transport {
  if (protocol === 'gRPC-Web') return createGrpcWebTransport({ baseUrl })
  return createConnectTransport({ baseUrl, useHttpGet: protocol === 'Connect with GET' })
}

/** Makes the calls that browsers have: none has streams of requests. */
export function callFromPage(call: PageCall): Promise<Cells> {
  const service = serviceIn(Uint8Array.from(call.descriptors))
  const { repository, protocol } = call
  const kinds =
    protocol === 'Connect with GET' ? (['unary', 'error', 'get'] as const) : (['unary', 'error', 'download'] as const)
  return callConnect(service, transportOf(call), { repository, kinds })
}
