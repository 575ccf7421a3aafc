/** Base64 in both directions, which `application/grpc-web-text` has (gRPC, `PROTOCOL-WEB.md`). */
import { type Readable, Transform, type Writable } from 'node:stream'
import { malformed } from '../../src/codec/malformed.ts'
import type { Exchange } from '../http/exchange.ts'

const noBase64 = /[^A-Za-z0-9+/=]/

/** Decodes pieces that are padded wherever their sender pleased. */
class Decoder extends Transform {
  #rest = ''

  override _transform(chunk: Buffer, _encoding: string, done: (error?: Error, bytes?: Buffer) => void): void {
    const text = this.#rest + chunk.toString('latin1')
    if (noBase64.test(text)) return done(malformed('the body is not base64'))
    const length = text.length - (text.length % 4)
    this.#rest = text.slice(length)
    // Quadruples, each of which may have its padding.
    const parts = text.slice(0, length).split(/(?<==)(?!=)/)
    done(undefined, Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))))
  }

  override _flush(done: (error?: Error) => void): void {
    done(this.#rest === '' ? undefined : malformed('the body ends within a base64 quadruple'))
  }
}

const encode = (bytes: Uint8Array) => Buffer.from(Buffer.from(bytes).toString('base64'), 'latin1')

class Encoder extends Transform {
  override _transform(chunk: Buffer, _encoding: string, done: (error: null, bytes: Buffer) => void): void {
    done(null, encode(chunk))
  }
}

/** Not a pipeline, which would end the exchange where the body is damaged. */
function decoded(body: Readable): Decoder {
  const decoder = new Decoder()
  const cut = () => decoder.destroy()
  body.once('error', cut).once('close', () => body.readableEnded || cut())
  body.pipe(decoder)
  // What waits unread waits in the window of the body (`unread-streams.ts`).
  Object.defineProperty(decoder, 'readableLength', { get: () => body.readableLength })
  // After the pipe, which pauses the body then: the rest of a request that is answered must come (`drain.ts`).
  return decoder.once('close', () => body.resume()).on('error', () => undefined)
}

/** The exchange with its bodies as bytes. Its answer cannot begin before the request has ended. */
export function textExchange(exchange: Exchange): Exchange {
  let decoder: Decoder | undefined
  const changed: Pick<Exchange, 'openBody' | 'respond' | 'open' | 'stream'> = {
    openBody() {
      decoder = decoded(exchange.openBody())
      return decoder
    },
    respond(status, headers, body) {
      const text = body && encode(body)
      exchange.respond(status, text ? { ...headers, 'content-length': String(text.length) } : headers, text)
      decoder?.destroy()
    },
    open: () => undefined,
    stream(status, headers, trailers): Writable | undefined {
      const stream = exchange.stream(status, headers, trailers)
      if (stream === undefined) return undefined
      const encoder = new Encoder()
      // Not a pipeline, which would take a client that goes for an error of the connection.
      stream.once('close', () => {
        decoder?.destroy()
        encoder.destroy()
      })
      encoder.once('close', () => encoder.readableEnded || stream.destroy())
      encoder.pipe(stream)
      return encoder
    }
  }
  // Of the same exchange, whose state is read through it.
  return Object.assign(Object.create(exchange), changed)
}
