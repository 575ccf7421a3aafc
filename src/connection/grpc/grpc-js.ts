/** Loads grpc-js, for clients that use gRPC alone. */
import type * as GrpcJs from '@grpc/grpc-js'
import { BlobwireError } from '../../core/error.ts'

/** The module grpc-js. */
export type GrpcModule = typeof GrpcJs

/**
 * The module. Nothing else imports values of it: a bundler lifts a static import of a package that it leaves out to the
 * beginning of the bundle.
 * @throws BlobwireError `failed_precondition`, reason `grpc_js_missing`
 */
export async function loadGrpcJs(): Promise<GrpcModule> {
  try {
    return await import('@grpc/grpc-js')
  } catch (cause) {
    const message =
      'the transport grpc needs the package @grpc/grpc-js, which cannot be loaded ' +
      `(${(cause as Error).message.split('\n', 1)[0]}): install it beside the application (npm install @grpc/grpc-js), ` +
      'or let the bundler take it in'
    throw new BlobwireError({ reason: 'grpc_js_missing', message, sent: 'never', cause })
  }
}
