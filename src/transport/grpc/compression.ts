/** Compression of gRPC messages, decided for each message. */
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js'
import { looksCompressible } from '../../compression/sample.ts'

/** gRPC's WriteFlags.NoCompress, which grpc-js exports only as a type. */
const noCompress = 2

/**
 * Compresses a message, which has to be serialized already, from `thresholdBytes` and where a sample of it is
 * compressible. grpc-js alone compresses every message of a channel, or none.
 */
export function compressIfSmaller(thresholdBytes: number): Interceptor {
  return (options, nextCall) => new SamplingCall(nextCall(options), thresholdBytes)
}

class SamplingCall extends InterceptingCall {
  readonly #thresholdBytes: number

  constructor(next: ConstructorParameters<typeof InterceptingCall>[0], thresholdBytes: number) {
    super(next)
    this.#thresholdBytes = thresholdBytes
  }

  override sendMessageWithContext(
    context: Parameters<InterceptingCall['sendMessageWithContext']>[0],
    message: Uint8Array
  ): void {
    const pays = message.length >= this.#thresholdBytes && looksCompressible(message)
    super.sendMessageWithContext(pays ? context : { ...context, flags: noCompress }, message)
  }

  override sendMessage(message: Uint8Array): void {
    this.sendMessageWithContext({}, message)
  }
}
