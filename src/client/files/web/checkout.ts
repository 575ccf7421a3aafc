/** In the place of `client/files/checkout.ts` in runtimes without files. */
import { BlobwireError } from '../../../core/error.ts'
import type * as Replaced from '../checkout.ts'

export const checkout: typeof Replaced.checkout = async () => {
  const message = 'this runtime has no files to check out to; read them with readFiles, or use archive'
  throw new BlobwireError({ reason: 'not_in_runtime', message, sent: 'never' })
}
