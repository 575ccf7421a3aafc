/** Tokens by which another process goes on with an upload. */
import { invalidArgument } from '../core/error.ts'

/** An upload, and the content that it is of. */
export interface ResumeToken {
  readonly uploadId: string
  readonly repository: string
  /** Bytes; undefined = not known when the upload began. */
  readonly size: number | undefined
  /** Of the source (`Source.identity`). */
  readonly identity: string
}

const version = 'u1'
const form = /^u1\.([A-Za-z0-9_-]{1,128})\.(\d*)\.([^.]*)\.(.+)$/s

/** `u1.ID.SIZE.IDENTITY.REPOSITORY`, without anything secret but the id, which nobody can guess. */
export function formatResumeToken({ uploadId, size, identity, repository }: ResumeToken): string {
  return [version, uploadId, size ?? '', identity, repository].join('.')
}

/** @throws BlobwireError `invalid_argument` for what is no token, or that of an upload to another repository */
export function parseResumeToken(token: string, repository: string): ResumeToken {
  const [, uploadId = '', size = '', identity = '', of = ''] = form.exec(String(token)) ?? []
  if (uploadId === '') throw invalidArgument('resume', 'must be a token that onResumeToken was called with')
  if (of !== repository) throw invalidArgument('resume', `is the token of an upload to the repository "${of}"`)
  return { uploadId, repository, size: size === '' ? undefined : Number(size), identity }
}
