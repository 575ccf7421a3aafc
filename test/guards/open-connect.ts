/** Guards of the Connect protocol, as unmodified clients use it. */
import type { Guard } from './guard.ts'

const http = 'server-fixture/http'
const gets = ['test/server/connect-get.test.ts']
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
    from: 'Array.from(codecs, ([name, codec]) => [`application/connect+${name}`, codec])',
    to: "Array.from(codecs, ([name, codec]) => [`application/connect+${name.replace('proto', 'x')}`, codec])",
    tests: ['test/server/session-clients.test.ts']
  },
  {
    name: 'only pages of the origins that are listed may use the server',
    file: `${http}/cors.ts`,
    from: 'origin !== undefined && allows(cors, origin)',
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
  },
  {
    name: 'a form of another page uploads nothing',
    file: `${http}/upload-route.ts`,
    from: "if (exchange.method === 'POST') refuseForeignPage",
    to: "if (exchange.method === 'none') refuseForeignPage",
    tests: cors
  },
  {
    name: 'a page of the same host but another port is another page',
    file: `${http}/cors.ts`,
    from: "return site === 'same-origin'",
    to: "return site.startsWith('same')",
    tests: cors
  },
  {
    name: 'GET calls no method that writes',
    file: `${http}/connect.ts`,
    from: "route?.method.kind === 'unary' && route.method.readOnly",
    to: "route?.method.kind === 'unary'",
    tests: gets
  },
  {
    name: 'no cache keeps an error',
    file: `${http}/errors.ts`,
    from: "exchange.method === 'POST' ? {}",
    to: "exchange.method !== 'none' ? {}",
    tests: gets
  },
  {
    name: 'caches that several share keep no answer to a token',
    file: `${http}/connect-get.ts`,
    from: "=== undefined ? '' : 'private, '",
    to: "=== undefined ? '' : ''",
    tests: gets
  },
  {
    name: 'a browser keeps the answers to two tokens apart',
    file: `${http}/connect-get.ts`,
    from: "vary: 'accept-encoding, authorization'",
    to: "vary: 'accept-encoding'",
    tests: gets
  },
  {
    name: 'a browser keeps blobs for two tokens apart',
    file: `${http}/blob-route.ts`,
    from: ",\n      vary: 'authorization'",
    to: '',
    tests: gets
  },
  {
    name: 'caches ask again for the answer that a ref may change',
    file: `${http}/connect-get.ts`,
    from: 'isOid(name) && name.length === length',
    to: 'name.length > 0',
    tests: gets
  },
  {
    name: 'a branch with the name of an oid of the other object format is a branch',
    file: `${http}/connect-get.ts`,
    from: 'name.length === length)',
    to: 'length > 0)',
    tests: gets
  },
  {
    name: 'a cache that has the answer gets none',
    file: `${http}/unary.ts`,
    from: 'etag !== undefined && isUnmodified(',
    to: 'etag === null && isUnmodified(',
    tests: gets
  }
]
