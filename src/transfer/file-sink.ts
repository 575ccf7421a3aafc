/** Writes a download to a file, which is there when all of it is. */
import { show } from '../core/check-options.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { createFile } from '../platform/new-file.ts'
import type { NewFile } from '../platform/platform.ts'

/** By the system's code (errno(3)): the trouble, and the way out. */
const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EISDIR: 'it is a directory',
  ENOTSUP: 'it is no regular file; pipe toNodeStream() into it',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the file is larger than the file system allows',
  EROFS: 'the file system is read-only',
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there',
  ERR_ACCESS_DENIED: 'Node runs with --permission and denies it; --allow-fs-write allows it',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk failed'
}

function sinkFailed(path: string | URL, cause: unknown): BlobwireError {
  const { code = '', message } = (cause ?? {}) as { code?: unknown; message?: string }
  const trouble = troubles[String(code)] ?? message ?? String(cause)
  return new BlobwireError({ reason: 'sink_failed', message: `cannot write ${path}: ${trouble}`, cause })
}

function checkPath(path: unknown): void {
  if (typeof path === 'string' && path !== '') return
  const url = path instanceof URL ? path : undefined
  if (url?.protocol === 'file:') return
  throw invalidArgument('path', `must be the path of a file, or a file: URL, not ${show(url?.href ?? path)}`)
}

/** Reads all chunks into the file. @throws BlobwireError `sink_failed`, or the error of the chunks */
export async function writeFile(path: string | URL, next: () => Promise<Uint8Array | undefined>): Promise<void> {
  checkPath(path)
  const failed = (cause: unknown): never => {
    throw sinkFailed(path, cause)
  }
  const file: NewFile = await createFile(path).catch(failed)
  try {
    for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
      const wait = file.write(chunk)
      if (wait !== undefined) await wait.catch(failed)
    }
    await file.commit().catch(failed)
  } finally {
    await file.discard().catch(() => undefined)
  }
}
