/** The paths of the HTTP server. */
import { jsonCodec } from '../../src/codec/json.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { operatorRoute } from '../admin/operator-routes.ts'
import { gitAddressOf, nameWithoutSuffix } from '../git-http/git-address.ts'
import { handleGit, refuseWithoutSuffix } from '../git-http/git-route.ts'
import { handleGrpc } from '../grpc-http/grpc-route.ts'
import { grpcTypeOf } from '../grpc-http/protocols.ts'
import { handleStandard } from '../grpc-http/standard-route.ts'
import type { HandlerDependencies } from '../listener.ts'
import { addressOf } from './addresses.ts'
import { handleBlob } from './blob-route.ts'
import { handleConnect } from './connect.ts'
import { withCors } from './cors.ts'
import { respondError } from './errors.ts'
import { type Exchange, respondAllow, respondBody } from './exchange.ts'
import { refuseHost } from './host-check.ts'
import { isRpcPath } from './rpc-routes.ts'
import { handleUpload } from './upload-route.ts'

/** Answers one request. */
export async function route(received: Exchange, dependencies: HandlerDependencies): Promise<void> {
  const { service, cors, hosts } = dependencies
  const exchange = cors ? withCors(received, cors) : received
  if (exchange === undefined) return
  const { requestId } = exchange.record
  const path = exchange.path.split('?', 1)[0] ?? ''
  const grpcType = grpcTypeOf(exchange)
  if (hosts && refuseHost(exchange, hosts, grpcType !== undefined)) return
  if (isRpcPath(path) && grpcType === undefined) return handleConnect(exchange, dependencies)
  const standard = dependencies.standard?.methodOf(path)
  if (standard) return handleStandard(exchange, standard, dependencies)
  if (grpcType) return handleGrpc(exchange, grpcType, dependencies)
  const address = addressOf(path)
  if (address?.kind === 'blob' || address?.kind === 'file') {
    return handleBlob(exchange, address, { ...dependencies, requestId })
  }
  if (address) return handleUpload(exchange, address, { ...dependencies, requestId })
  const { git } = dependencies
  // After the files, whose paths may have such a part, too.
  const remote = git && gitAddressOf(exchange.path)
  if (remote) return handleGit(exchange, remote, { ...dependencies, git })
  const bareName = git && nameWithoutSuffix(exchange.path)
  if (bareName) return refuseWithoutSuffix(exchange, bareName)
  const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
  const { operated } = dependencies
  const operate = isRead && operated ? operatorRoute(path) : undefined
  if (operated && operate) return operate(exchange, { ...dependencies, operated, isTrusted: false })
  if (path === '/.well-known/blobwire') {
    if (!isRead) return respondAllow(exchange, { allow: 'GET, HEAD, OPTIONS', 'x-request-id': requestId })
    exchange.record.method = 'WellKnown'
    return respondBody(exchange, 200, jsonCodec.encode('GetCapabilitiesResponse', service.capabilities()))
  }
  refusePath(exchange, path)
}

/** A path that there is not. */
export function refusePath(exchange: Exchange, path: string): void {
  const message = `unknown path ${JSON.stringify(path.slice(0, 200))}`
  const error = new BlobwireError({ code: 'unimplemented', message })
  respondError(exchange, exchange.record.requestId, error, { status: 404 })
}
