/** A grpc-js server with its defaults. */
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { announce, storeBlob } from './blob-map.ts'

const server = new Server()
const { StoreBlob } = loadProto()[serviceName] as ServiceDefinition
const store = (call: { request: { content: Uint8Array } }, callback: sendUnaryData<object>) =>
  callback(null, storeBlob(call.request.content))
server.addService({ StoreBlob } as ServiceDefinition, { StoreBlob: store } as never)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  announce(port)
})
