/** Corrupts the answer on a stream: truncates it, flips a bit, claims gzip, or lets it drip. */
import type { OutgoingHttpHeaders } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Fault } from './rules.ts'

type Write = (chunk: Buffer) => void

/** Changes the next bytes that are written to a stream: of a session, its next message. */
export function corruptAnswer(stream: ServerHttp2Stream, fault: Fault, random: () => number): void {
  if (stream.destroyed) return
  const write = stream.write.bind(stream)
  const send: Write = (chunk) => void write(chunk)
  const corrupt = corruptor(stream, fault, random, send)
  let isEnded = false
  let isCorrupted = false
  let pending = Promise.resolve()
  const take = (chunk: unknown) => {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as Uint8Array)
    const act = isCorrupted ? send : corrupt
    isCorrupted ||= bytes.length > 0
    pending = pending.then(() => (stream.destroyed || bytes.length === 0 ? undefined : act(bytes)))
  }
  if (fault.kind === 'bad_gzip') claimGzip(stream)
  const callbackOf = (values: unknown[]) =>
    values.find((value) => typeof value === 'function') as (() => void) | undefined
  const end = stream.end.bind(stream)
  Object.assign(stream, {
    write(chunk: unknown, ...rest: unknown[]) {
      take(chunk)
      pending.then(callbackOf(rest))
      return true
    },
    end(...values: unknown[]) {
      if (isEnded) return stream
      isEnded = true
      if (values[0] !== undefined && typeof values[0] !== 'function') take(values[0])
      pending.then(() => {
        if (!stream.destroyed) end(callbackOf(values))
      })
      return stream
    }
  })
}

/** Corrupts one chunk of the answer. */
function corruptor(stream: ServerHttp2Stream, fault: Fault, random: () => number, send: Write) {
  return async (bytes: Buffer): Promise<void> => {
    if (fault.kind === 'truncate') {
      send(bytes.subarray(0, bytes.length >> 1))
      // HTTP/2 sees a proper end; only the message is incomplete.
      stream.close(constants.NGHTTP2_NO_ERROR)
    } else if (fault.kind === 'corrupt') {
      const copy = Buffer.from(bytes)
      const index = Math.floor(random() * copy.length)
      copy[index] = (copy[index] as number) ^ (1 << Math.floor(random() * 8))
      send(copy)
    } else if (fault.kind === 'bad_gzip') {
      const copy = Buffer.from(bytes)
      // The flag of a compressed message, in envelopes of Connect and of gRPC; a unary answer has it in its headers.
      if (isEnveloped(stream)) copy[0] = (copy[0] as number) | 1
      send(copy)
    } else if (fault.kind === 'drip') {
      for (let index = 0; index < bytes.length && !stream.destroyed; index++) {
        send(bytes.subarray(index, index + 1))
        await new Promise((resolve) => setTimeout(resolve, fault.everyMs))
      }
    } else {
      send(bytes)
    }
  }
}

function isEnveloped(stream: ServerHttp2Stream): boolean {
  return /^application\/(connect\+|grpc)/.test(String(stream.sentHeaders?.['content-type'] ?? ''))
}

/** Changes headers that have not been sent, so that they say gzip. */
function claimGzip(stream: ServerHttp2Stream): void {
  const respond = stream.respond.bind(stream)
  stream.respond = (given, options) => {
    const headers = given as OutgoingHttpHeaders
    const type = String(headers['content-type'] ?? '')
    const name = type.startsWith('application/grpc') ? 'grpc-encoding' : 'content-encoding'
    respond({ ...headers, [name]: 'gzip' }, options)
  }
}
