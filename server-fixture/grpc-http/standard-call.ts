/** Calls of health checks and reflection for handlers of grpc-js, without a server of grpc-js. */
import { EventEmitter } from 'node:events'
import type { sendUnaryData, UntypedHandleCall } from '@grpc/grpc-js'
import { codeFromGrpc } from '../../src/core/code.ts'
import { BlobwireError } from '../../src/core/error.ts'
import type { StandardMethod } from '../grpc/standard-services.ts'

/** The part of a stream of grpc-js that those handlers use. */
export class StandardStream extends EventEmitter {
  readonly request: object | undefined
  readonly write: (message: object) => void
  readonly end: () => void

  constructor(request: object | undefined, answer: { write(message: object): void; end(): void }) {
    super()
    this.request = request
    this.write = answer.write
    this.end = answer.end
  }

  /** Hands the stream to the handler. */
  start({ handler }: StandardMethod): this {
    ;(handler as unknown as (stream: StandardStream) => void)(this)
    return this
  }
}

/** The answer of a unary method. @throws BlobwireError with the code of the handler */
export function callStandard({ handler }: StandardMethod, request: object): Promise<object> {
  const call = handler as UntypedHandleCall & ((call: object, callback: sendUnaryData<object>) => void)
  return new Promise((resolve, reject) => {
    call({ request }, (error, answer) => {
      if (!error) return resolve(answer as object)
      reject(new BlobwireError({ code: codeFromGrpc(error.code ?? 2), message: error.details ?? '' }))
    })
  })
}
