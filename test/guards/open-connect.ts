/** Guards of the Connect protocol, as unmodified clients use it. */
import type { Guard } from './guard.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the room for the header of an envelope is in front of a protobuf message',
    file: 'src/codec/protobuf-write.ts',
    from: '    this.#at -= headroom\n',
    to: '',
    tests: ['test/properties/codecs.test.ts']
  },
  {
    name: 'streams of Connect take protobuf',
    file: 'server-fixture/http/connect.ts',
    from: '[`application/connect+${codec.name}`, { codec, isStream: true }]',
    to: '[`application/connect+${codec.name}`, { codec, isStream: codec !== protobufCodec }]',
    tests: ['test/server/session-clients.test.ts']
  }
]
