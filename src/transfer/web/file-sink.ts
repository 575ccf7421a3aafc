/** In the place of `transfer/file-sink.ts` in runtimes without files. */
import { BlobwireError } from '../../core/error.ts'
import type * as Replaced from '../file-sink.ts'

export const writeFile: typeof Replaced.writeFile = async () => {
  const message = 'this runtime has no files to download to; use stream() or bytes(), and new Blob([…]) to save one'
  throw new BlobwireError({ reason: 'not_in_runtime', message, sent: 'never' })
}
