/** Uploads files that are too large for a message, several at a time; a later run goes on with those under way. */
import type { Repository, TransferProgress } from '../../src/index.ts'
import { type HashedFile, hashAsItIs } from './differences.ts'
import { readFile } from './local-tree.ts'
import type { ResumeFile } from './resume-file.ts'

/** Where the files go. */
export interface Sending {
  readonly repo: Repository
  readonly objectFormat: 'sha1' | 'sha256'
  readonly tokens: ResumeFile
  readonly signal: AbortSignal
  /** Bytes and files are done, those included that the server has; the rate is that of one upload, 0 at its end. */
  readonly onProgress: (file: HashedFile, progress: Sent) => void
}

/** A step of an upload. */
interface Sent {
  readonly bytes: number
  readonly files: number
  readonly bytesPerSecond: number
}

/** Files that are uploaded at a time. */
const maxUploads = 4
/** A file that changes while it is sent is sent anew, so often. */
const maxTries = 3

/** The files as they were sent, by key. @throws BlobwireError, CommandError */
export async function uploadFiles(files: readonly HashedFile[], sending: Sending): Promise<Map<string, HashedFile>> {
  const sent = new Map<string, HashedFile>()
  const failed = new AbortController()
  const signal = AbortSignal.any([sending.signal, failed.signal])
  const waiting = files.values()
  const work = async () => {
    try {
      for (const file of waiting) sent.set(file.key, await uploadAsItIs(file, { ...sending, signal }))
    } catch (error) {
      // The others need not go on; their uploads stay on the server.
      failed.abort()
      throw error
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: maxUploads }, work))
  const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  if (reasons.length > 0) throw reasons.find(({ code }) => code !== 'cancelled') ?? reasons[0]
  return sent
}

async function uploadAsItIs(given: HashedFile, sending: Sending): Promise<HashedFile> {
  let file = given
  for (let tries = 1; ; tries++) {
    try {
      await upload(file, sending)
      return file
    } catch (error) {
      if (sending.signal.aborted || tries === maxTries) throw error
      const now = await readFile(file.disk as Buffer, Buffer.from(file.key, 'latin1'))
      if (now.identity === file.identity) throw error
      sending.tokens.delete(file.oid)
      file = await hashAsItIs(now, { ...sending, onBytes: () => {} })
    }
  }
}

async function upload(file: HashedFile, { repo, tokens, signal, onProgress }: Sending): Promise<void> {
  const { content, oid, size } = file
  let done = 0
  const step = (reached: number, files: number, bytesPerSecond: number) => {
    onProgress(file, { bytes: reached - done, files, bytesPerSecond })
    done = reached
  }
  try {
    await repo.upload(content, {
      oid,
      size,
      signal,
      resume: tokens.get(oid),
      onResumeToken: (token) => tokens.set(oid, token),
      onProgress: ({ transferredBytes, bytesPerSecond }: TransferProgress) => step(transferredBytes, 0, bytesPerSecond)
    })
  } catch (error) {
    step(0, 0, 0)
    throw error
  }
  tokens.delete(oid)
  step(size, 1, 0)
}
