/** The proto files, as proto-loader reads them: the definition of the service, and its descriptors for reflection. */
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader'
import { detailTypeUrl, encodeProtobuf, type Status } from '../../src/codec/protobuf.ts'
import { packageFile } from '../package-files.ts'

const schema = 'blobwire/v1/vcs.proto'
let definition: PackageDefinition | undefined

/** The definitions of the proto files, read from disk once. 64-bit integers are numbers, bytes are Buffers. */
export function loadProto(): PackageDefinition {
  definition ??= loadSync([schema, 'google/rpc/status.proto'], {
    includeDirs: [packageFile(`blobwire/proto/${schema}`).slice(0, -schema.length)],
    longs: Number,
    defaults: false
  })
  return definition
}

/** Bytes for gRPC's `grpc-status-details-bin`. Source: gRPC "Richer error model". */
export function encodeStatus({ code, message, detail }: Status): Buffer {
  const { serialize } = loadProto()['google.rpc.Status'] as MessageTypeDefinition<object, object>
  const details = detail ? [{ type_url: detailTypeUrl, value: encodeProtobuf('ErrorDetail', detail) }] : []
  return serialize({ code, message, details })
}
