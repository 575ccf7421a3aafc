/** Sessions as bidi streams of gRPC. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { fromWire, toWire } from '../../src/codec/wire-object.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Init } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { SessionRunner } from '../service/session.ts'
import type { GrpcParts } from './parts.ts'

type Stream = ServerDuplexStream<object, object>

/** What a session is served with. */
export interface GrpcSessionSetting {
  readonly parts: GrpcParts
  readonly requestId: string
  readonly authorization: string | undefined
  /** Ends the stream with an error. */
  readonly fail: (error: BlobwireError) => void
}

/** Serves one session; resolves when it has ended. */
export function serveSession(stream: Stream, setting: GrpcSessionSetting): Promise<object> {
  const { parts, requestId, authorization, fail } = setting
  const { service, authenticator, draining } = parts
  return new Promise((resolve) => {
    let over = false
    let isRead = true
    const runner = new SessionRunner({
      service,
      requestId,
      authenticate: () => authenticator.authenticate(authorization),
      send(response) {
        if (over) return
        isRead = stream.write(toWire('SessionResponse', response as Init<Messages['SessionResponse']>))
        if (!isRead) stream.pause()
      },
      isRead: () => isRead,
      onRoom: () => goOn()
    })
    const goOn = () => {
      // What has not been read when the server drains is not answered either; the client sends it again elsewhere.
      if (!runner.full && !draining.aborted) stream.resume()
    }
    const end = (settle: () => void) => {
      if (over) return
      over = true
      draining.removeEventListener('abort', finish)
      settle()
      resolve({})
    }
    const broken = (error: unknown) => {
      runner.abandon()
      end(() => fail(toBlobwireError(error)))
    }
    const finish = () => {
      if (draining.aborted) stream.pause()
      runner.finished().then(() => end(() => stream.end()))
    }
    stream.on('data', (message: object) => {
      if (over) return
      try {
        runner.receive(fromWire('SessionRequest', message))
      } catch (error) {
        broken(error)
      }
      if (runner.full) stream.pause()
    })
    stream.on('drain', () => {
      isRead = true
      runner.goOn()
      goOn()
    })
    stream.on('end', finish)
    stream.on('cancelled', () => {
      runner.abandon()
      end(() => undefined)
    })
    stream.on('error', broken)
    draining.addEventListener('abort', finish)
    try {
      authenticator.authenticate(authorization)
      runner.greet()
      if (draining.aborted) finish()
    } catch (error) {
      broken(error)
    }
  })
}
