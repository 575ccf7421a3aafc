/** GetCapabilities. */
import type { Messages } from '../../src/schema/messages.ts'
import type { Store } from '../store/store.ts'

type Capabilities = Messages['GetCapabilitiesResponse']

/** The capabilities of a service on this store. */
export function capabilitiesOf(
  store: Store,
  own: Pick<Capabilities, 'serverVersion' | 'limits' | 'transports'>
): Capabilities {
  return {
    ...own,
    codecs: ['application/json', 'application/msgpack'],
    compressors: ['zstd', 'gzip', 'deflate'],
    objectFormats: ['sha1', 'sha256'],
    atomic: true,
    resume: true,
    session: true,
    watch: true,
    requestKeySeconds: store.requestKeySeconds
  }
}
