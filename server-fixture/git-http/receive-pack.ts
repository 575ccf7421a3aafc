/** `git receive-pack`: pushes. */
import { BlobwireError } from '../../src/core/error.ts'
import type { GitService } from './git-request.ts'

const refusePush = async () => {
  throw new BlobwireError({ code: 'unimplemented', message: 'the server takes no pushes' })
}

export const receivePack: GitService = { access: 'write', advertise: refusePush, serve: refusePush }
