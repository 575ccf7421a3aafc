/** The suite of codecs. */

import { loadProto } from '../../server-fixture/grpc/proto.ts'
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { fromWire, toWire } from '../../src/codec/wire-object.ts'
import type { MessageName } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { blobwire } from '../contenders/blobwire.ts'
import { contents, loaded, recurringContents } from '../measure/load.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

type Both = Pick<Codec, 'encode' | 'decode'>

const definitionOf = <Definition>(type: MessageName) => loadProto()[`blobwire.v1.${type}`] as unknown as Definition

const protobuf: Both = { encode: encodeProtobuf, decode: decodeProtobuf }

/** Protobuf as proto-loader reads and writes it, and the same checks. */
const protobufjs: Both = {
  encode(type, message) {
    return definitionOf<{ serialize(message: object): Buffer }>(type).serialize(toWire(type, message))
  },
  decode<Name extends MessageName>(type: Name, bytes: Uint8Array) {
    return fromWire(type, definitionOf<{ deserialize(bytes: Buffer): object }>(type).deserialize(bytes as Buffer))
  }
}

function coding(name: string, codec: Both, message: { type: MessageName; value: object }): Contender {
  const bytes = codec.encode(message.type, message.value)
  return {
    name,
    open: async () => ({
      facts: () => ({ bytes: bytes.length }),
      close: async () => undefined,
      async run(durationMs) {
        const start = performance.now()
        let times = 0
        for (; performance.now() < start + durationMs; times++) {
          codec.decode(message.type, codec.encode(message.type, message.value))
        }
        return ((performance.now() - start) * 1000) / times
      }
    })
  }
}

function inProcess(name: string, message: { type: MessageName; value: object }): Scenario {
  return {
    suite: 'codecs',
    name: `encode and decode ${name}`,
    unit: 'us',
    better: 'less',
    baseline: 'JSON',
    contenders: [
      coding('MessagePack', msgpackCodec, message),
      coding('protobuf', protobuf, message),
      coding('protobufjs', protobufjs, message),
      coding('JSON', jsonCodec, message)
    ]
  }
}

function blob(size: number) {
  const value: Messages['StoreBlobRequest'] = { repository: 'bench', content: contents(size, 'random')() }
  return { type: 'StoreBlobRequest', value } as const
}

function tree(count: number) {
  const oid = 'ce013625030ba8dba906f756967f9e9ca394464a'
  const entries = Array.from({ length: count }, (_, index) => ({ path: `src/${index}.ts`, mode: '100644', oid }))
  return { type: 'GetTreeResponse', value: { oid, entries } } as const
}

function endToEnd(size: number, label: string): Scenario {
  // Without gzip, which would compensate for base64 at the cost of compression.
  const load = { concurrency: 16, content: recurringContents(size), unit: 'calls/s' } as const
  return {
    suite: 'codecs',
    name: `storeBlob of ${label} random bytes, end to end, concurrency 16, no gzip`,
    unit: 'calls/s',
    better: 'more',
    baseline: 'blobwire, JSON',
    contenders: [
      loaded('blobwire, MessagePack', load, () => blobwire('msgpack', { gzip: false })),
      loaded('blobwire, gRPC', load, () => blobwire('grpc', { gzip: false })),
      loaded('blobwire, JSON', load, () => blobwire('json', { gzip: false }))
    ]
  }
}

/** The three encodings of the same messages, for contents and for metadata. */
export const codecs: Suite = {
  name: 'codecs',
  about: 'JSON, MessagePack and protobuf: in this process alone, and end to end.',
  scenarios: ({ quick }) => [
    inProcess('a blob of 50 B', blob(50)),
    inProcess('a blob of 10 KiB', blob(10 * 1024)),
    inProcess('a blob of 1 MiB', blob(1024 * 1024)),
    ...(quick ? [] : [inProcess('a blob of 16 MiB', blob(16 * 1024 * 1024))]),
    inProcess('a listing of 1,000 tree entries', tree(1000)),
    endToEnd(50, '50'),
    endToEnd(10 * 1024, '10 Ki'),
    // 1 MiB is the limit of inline contents.
    endToEnd(1024 * 1024, '1 Mi')
  ]
}
