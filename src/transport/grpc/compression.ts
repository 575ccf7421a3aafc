/** Compression of gRPC messages, decided for each message. */
import type { InterceptingCall, Interceptor } from '@grpc/grpc-js'
import { looksCompressible } from '../../compression/sample.ts'
import type { GrpcModule } from '../../connection/grpc/grpc-js.ts'

/** gRPC's WriteFlags.NoCompress, which grpc-js exports only as a type. */
const noCompress = 2

/**
 * Compresses a message, which has to be serialized already, from `thresholdBytes` and where a sample of it is
 * compressible. grpc-js alone compresses every message of a channel, or none.
 */
export function compressIfSmaller({ InterceptingCall }: GrpcModule, thresholdBytes: number): Interceptor {
  class SamplingCall extends InterceptingCall {
    override sendMessageWithContext(context: Context, message: Uint8Array): void {
      const pays = message.length >= thresholdBytes && looksCompressible(message)
      super.sendMessageWithContext(pays ? context : { ...context, flags: noCompress }, message)
    }

    override sendMessage(message: Uint8Array): void {
      this.sendMessageWithContext({}, message)
    }
  }
  return (options, nextCall) => new SamplingCall(nextCall(options))
}

type Context = Parameters<InterceptingCall['sendMessageWithContext']>[0]
