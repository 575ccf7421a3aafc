/** Guards of the Connect protocol, as unmodified clients use it. */
import type { Guard } from './guard.ts'

const http = 'server-fixture/http'
const cors = ['test/server/cors.test.ts']

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
    file: `${http}/connect.ts`,
    from: '[`application/connect+${codec.name}`, { codec, isStream: true }]',
    to: '[`application/connect+${codec.name}`, { codec, isStream: codec !== protobufCodec }]',
    tests: ['test/server/session-clients.test.ts']
  },
  {
    name: 'only pages of the origins that are listed may use the server',
    file: `${http}/cors.ts`,
    from: 'origin !== undefined && (isAny || origins.has(origin))',
    to: 'origin !== undefined',
    tests: cors
  },
  {
    name: 'a page sees headers beside those that all pages see',
    file: `${http}/cors.ts`,
    from: "isAllowed ? { 'access-control-expose-headers': exposedHeaders } : {}",
    to: '{}',
    tests: cors
  },
  {
    name: 'a page may send headers of its own',
    file: `${http}/cors.ts`,
    from: 'isNamed ? {',
    to: 'false ? {',
    tests: cors
  },
  {
    name: 'caches keep the answers to different origins apart',
    file: `${http}/cors.ts`,
    from: 'isAny ? {} : { vary:',
    to: '!isAllowed ? {} : { vary:',
    tests: cors
  },
  {
    name: 'an origin that no browser sends is refused',
    file: `${http}/cors.ts`,
    from: 'return normal === origin ? undefined',
    to: 'return normal !== undefined ? undefined',
    tests: cors
  }
]
