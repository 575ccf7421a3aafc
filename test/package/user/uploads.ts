/** Large content, as a user would move it. */
import type {
  BlobLike,
  ByteChunks,
  ByteStream,
  Client,
  CommitFilesOptions,
  FileUrl,
  ProgressListener,
  ProgressPhase,
  TransferOptions,
  TransferProgress,
  UploadInput,
  UploadOptions,
  UploadResult,
  UploadSource
} from 'blobwire'

const onProgress: ProgressListener = ({ phase, transferredBytes, totalBytes = 0 }: TransferProgress) => {
  const name: ProgressPhase = phase
  console.log(name, transferredBytes, totalBytes)
}
const transfer: TransferOptions = { stallTimeoutMs: 1000, onProgress }

/** Contents of any kind. */
export async function commits(client: Client, stream: ByteStream): Promise<string> {
  const changes = {
    'a.bin': { file: 'a.bin' },
    'b.bin': { content: { file: 'b' }, mode: '100755' as const },
    c: stream
  }
  const options: CommitFilesOptions = { ...transfer, requestKey: 'one' }
  const author = { name: 'Ada', email: 'ada@example.org' }
  return (await client.commitFiles('demo', { branch: 'main', changes, message: 'm', author }, options)).oid
}

/** Every kind of source. */
export async function uploads(client: Client, blob: BlobLike, stream: ByteStream, url: FileUrl): Promise<string> {
  const chunks: ByteChunks = stream
  const sources: UploadSource[] = [blob, stream, chunks, { file: 'a' }, { file: url }, () => stream, 'text']
  const inputs = sources.map((source): UploadInput => ({ source }))
  const options: UploadOptions = { ...transfer, size: 1, onResumeToken: (token) => console.log(token) }
  const results: UploadResult[] = await Promise.all(inputs.map(({ source }) => client.upload('demo', source, options)))
  return results.map(({ oid, size }) => `${oid} ${size}`).join()
}
