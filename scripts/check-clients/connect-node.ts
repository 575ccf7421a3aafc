/** Connect-ES in Node, with its defaults. */
import type { Transport } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node'
import { callConnect, serviceIn } from './connect-calls.ts'
import type { Judge, Kind, Row } from './outcome.ts'
import { versionOf } from './versions.ts'

const halfDuplex: readonly Kind[] = ['unary', 'error', 'upload', 'download']
const all: readonly Kind[] = [...halfDuplex, 'session']

/** Through each of its transports. */
export const judgeConnectNode: Judge = async ({ url: baseUrl, descriptors, repository }) => {
  const service = serviceIn(descriptors)
  const forms: readonly [string, Transport, readonly Kind[]][] = [
    ['Connect over HTTP/2', createConnectTransport({ baseUrl, httpVersion: '2' }), all],
    ['Connect over HTTP/1.1', createConnectTransport({ baseUrl, httpVersion: '1.1' }), halfDuplex],
    [
      'Connect with GET',
      createConnectTransport({ baseUrl, httpVersion: '2', useHttpGet: true }),
      ['unary', 'error', 'get']
    ],
    ['gRPC', createGrpcTransport({ baseUrl }), all],
    ['gRPC-Web over HTTP/2', createGrpcWebTransport({ baseUrl, httpVersion: '2' }), all],
    ['gRPC-Web over HTTP/1.1', createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }), halfDuplex]
  ]
  const rows: Row[] = []
  for (const [protocol, transport, kinds] of forms) {
    const cells = await callConnect(service, transport, { repository: repository(`connect-node-${protocol}`), kinds })
    rows.push({ client: 'connect-node', version: versionOf('@connectrpc/connect-node'), protocol, cells })
  }
  return rows
}
