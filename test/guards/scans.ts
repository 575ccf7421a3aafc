/** Guards of the scans: no message becomes more objects than a full batch needs. */
import type { Guard } from './guard.ts'

const scan = 'test/codec/protobuf-scan.test.ts'
const malformed = 'test/codec/malformed.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'protobuf: the messages of a message are counted before it is decoded',
    file: 'src/codec/protobuf-scan.ts',
    from: "    if (++this.#messages > maxMessages) throw tooMany('messages')\n",
    to: '',
    tests: [scan]
  },
  {
    name: 'protobuf: the fields of a message are counted before it is decoded',
    file: 'src/codec/protobuf-scan.ts',
    from: "      if (++this.#values > maxValues) throw tooMany('values')\n",
    to: '',
    tests: [scan]
  },
  {
    name: 'protobuf: packed numbers are counted before they are decoded',
    file: 'src/codec/protobuf-scan.ts',
    from: "&& ++this.#values > maxValues) throw tooMany('values')",
    to: "&& this.#values < 0) throw tooMany('values')",
    tests: [scan]
  },
  {
    name: 'protobuf: no message is skipped by its length that could be above the limits',
    file: 'src/codec/protobuf-scan.ts',
    from: 'Math.min(2 * maxMessages - 1, maxValues)',
    to: 'Math.max(2 * maxMessages, maxValues)',
    tests: [scan]
  },
  {
    name: 'protobuf: a field does not end behind its message',
    file: 'src/codec/protobuf-scan.ts',
    from: '          if (next > end) throw malformed(',
    to: '          if (next < 0) throw malformed(',
    tests: [scan]
  },
  {
    name: 'protobuf: every message of a peer is scanned before it is decoded',
    file: 'src/transport/grpc/proto.ts',
    from: '  scanProtobuf(type, bytes)\n',
    to: '',
    tests: ['test/faults/bombs.test.ts']
  },
  {
    name: 'MessagePack: the fast reader stops at the limit of messages and values',
    file: 'src/codec/msgpack-read.ts',
    from: '    if (++this.#messages > maxMessages || this.#values > maxValues) throw unusual\n',
    to: '',
    tests: [malformed]
  },
  {
    name: 'MessagePack: lists in lists do not allocate what all together claim',
    file: 'src/codec/msgpack-read.ts',
    from: ' || this.#values > maxValues) throw unusual\n    const items',
    to: ') throw unusual\n    const items',
    tests: [malformed]
  },
  {
    name: 'MessagePack: values are counted before the complete reader decodes them',
    file: 'src/codec/msgpack-scan.ts',
    from: "    if (++this.#values > maxValues) throw tooMany('values')\n",
    to: '',
    tests: [malformed]
  },
  {
    name: 'MessagePack: maps are counted before the complete reader decodes them',
    file: 'src/codec/msgpack-scan.ts',
    from: "    if (isMap && ++this.#messages > maxMessages) throw tooMany('messages')\n",
    to: '',
    tests: [malformed]
  },
  {
    name: 'JSON: values are counted before they are parsed',
    file: 'src/codec/json-scan.ts',
    from: "      case 0x2c: // ,\n        expectsKey = levels.at(-1) !== undefined\n        if (++values > maxValues) throw tooMany('values')\n",
    to: '      case 0x2c: // ,\n        expectsKey = levels.at(-1) !== undefined\n',
    tests: [malformed]
  },
  {
    name: 'JSON: objects are counted before they are parsed',
    file: 'src/codec/json-scan.ts',
    from: "        if (expectsKey && ++messages > maxMessages) throw tooMany('messages')\n",
    to: '',
    tests: [malformed]
  },
  {
    name: 'gzip: a small body that is large when decompressed does not hold up the event loop',
    file: 'src/platform/zlib.ts',
    from: 'Math.min(maxBytes, syncOutputBytes)',
    to: 'maxBytes',
    tests: ['test/compression/gzip.test.ts']
  },
  {
    name: 'gzip: four bodies at most are decompressed at the same time',
    file: 'src/platform/zlib.ts',
    from: 'if (inflating >= maxInflating)',
    to: 'if (inflating < 0)',
    tests: ['test/compression/gzip.test.ts']
  },
  {
    name: 'gzip: a body that nobody wants any more is not decompressed',
    file: 'src/platform/zlib.ts',
    from: "    if (!isWanted()) throw new Error('nobody waits for the content')\n",
    to: '',
    tests: ['test/compression/gzip.test.ts']
  },
  {
    name: 'a session ends over a frame of far too many operations, instead of a result for each',
    file: 'server-fixture/service/session-frames.ts',
    from: '    this.#checkCount(endId - firstId)\n',
    to: '',
    tests: ['test/faults/bombs.test.ts']
  },
  {
    name: 'a session ends with its refusal, although the client has ended its side',
    file: 'server-fixture/service/session.ts',
    from: '    this.#end(this.#refusal)\n',
    to: '    this.#end(undefined)\n',
    tests: ['test/server/session-refusals.test.ts']
  },
  {
    name: 'large messages are decoded in turns',
    file: 'server-fixture/decode-turns.ts',
    from: ' && this.#spentMs < maxTurnMs) return',
    to: ') return',
    tests: ['test/server/decode-turns.test.ts']
  },
  {
    name: 'others have several turns after a large message',
    file: 'server-fixture/decode-turns.ts',
    from: ' && this.#given < othersTurns) {',
    to: ' && this.#given < 0) {',
    tests: ['test/server/decode-turns.test.ts']
  },
  {
    name: 'a turn of decoding ends after its time',
    file: 'server-fixture/decode-turns.ts',
    from: '    while (this.#spentMs < maxTurnMs) {',
    to: '    while (this.#spentMs >= 0) {',
    tests: ['test/server/decode-turns.test.ts']
  },
  {
    name: 'the error of a peer is scanned before it is parsed',
    file: 'src/transport/http/errors.ts',
    from: 'connectError(parseJson(body))',
    to: 'connectError(JSON.parse(String(body)))',
    tests: ['test/faults/bombs.test.ts']
  }
]
