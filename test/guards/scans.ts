/** Guards of the scans: no message becomes more objects than a full batch needs. */
import type { Guard } from './guard.ts'

const read = 'test/codec/protobuf-read.test.ts'
const malformed = 'test/codec/malformed.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'protobuf: the messages of a message are counted as they come',
    file: 'src/codec/protobuf-read.ts',
    from: "    if (++this.#messages > maxMessages) throw tooMany('messages')\n",
    to: '',
    tests: [read]
  },
  {
    name: 'protobuf: the fields of a message are counted as they come',
    file: 'src/codec/protobuf-read.ts',
    from: "    if (++this.#values > maxValues) throw tooMany('values')\n    const tag",
    to: '    const tag',
    tests: [read]
  },
  {
    name: 'protobuf: packed numbers are counted as they come',
    file: 'src/codec/protobuf-read.ts',
    from: "        if (++this.#values > maxValues) throw tooMany('values')\n        items.push(this.#value(field, packedEnd, undefined))\n",
    to: '        items.push(this.#value(field, packedEnd, undefined))\n',
    tests: [read]
  },
  {
    name: 'protobuf: the items of a list are counted as they come',
    file: 'src/codec/protobuf-read.ts',
    from: "      if (++this.#values > maxValues) throw tooMany('values')\n      items.push(",
    to: '      items.push(',
    tests: [read]
  },
  {
    name: 'protobuf: a field does not end behind its message',
    file: 'src/codec/protobuf-read.ts',
    from: '    if (to > end) throw malformed(',
    to: '    if (to < 0) throw malformed(',
    tests: [read, 'test/codec/malformed-protobuf.test.ts']
  },
  {
    name: 'protobuf: a number does not end behind its message',
    file: 'src/codec/protobuf-read.ts',
    from: "    if (this.#at > end) throw malformed('the message ends in the middle of a field')\n",
    to: '',
    tests: [read]
  },
  {
    name: 'protobuf: of a oneof one field at most is present',
    file: 'src/codec/protobuf-read.ts',
    from: ' for (const other of others) delete message[other]',
    to: ' chosen = field',
    tests: [read, 'test/properties/codecs.test.ts']
  },
  {
    name: 'protobuf: a text is UTF-8',
    file: 'src/codec/protobuf-read.ts',
    from: "    if (!isUtf8(bytes.subarray(from, to))) throw new FieldProblem('must be UTF-8', { reason: 'malformed' })\n",
    to: '',
    tests: [read]
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
