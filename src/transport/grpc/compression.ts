import { InterceptingCall, type Interceptor } from '@grpc/grpc-js'
import { looksCompressible } from '../../compression/sample.ts'

/** WriteFlags.NoCompress of gRPC; grpc-js exports the number under a name that is only a type. */
const noCompress = 2

/**
 * grpc-js compresses every message of a channel that has compression, or none. This decides for each message, which has
 * to be serialized already: from `thresholdBytes`, and only where a sample says that it pays.
 */
export function compressWhatPays(thresholdBytes: number): Interceptor {
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
