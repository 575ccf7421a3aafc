/** `readFiles`: the files of a tree with their contents. */
import type { CallOptions } from '../../call/call-options.ts'
import { answeredPath } from '../../git/raw-path.ts'
import { concat, toUint8Array } from '../../platform/bytes.ts'
import type { RepositoryCalls } from '../calls.ts'
import { type Content, ContentReader } from './content-reader.ts'
import type { FilesInput, RepositoryFile } from './inputs.ts'
import { readLargeFile } from './large-file.ts'
import { type ListedFile, listFiles } from './listing.ts'

/** In the order of the tree, without submodules. @throws BlobwireError */
export async function* readFiles(
  calls: RepositoryCalls,
  { revision = 'HEAD', path = '', glob }: FilesInput,
  options: CallOptions
): AsyncGenerator<RepositoryFile, void> {
  const requestOptions = options.timeoutMs === undefined ? () => options : calls.invoker.shared(options)
  const list = await listFiles(calls, { revision, path, glob }, requestOptions())
  const files = list.files.filter(({ mode }) => mode !== '160000')
  const oids = files.map(({ oid }) => oid)
  const open = (oid: string) => readLargeFile(calls, oid, requestOptions())
  let index = 0
  for await (const content of new ContentReader(oids, { calls, options: requestOptions }).contents()) {
    yield withContent(files[index++] as ListedFile, content, open)
  }
}

function withContent(
  { path, mode, oid }: ListedFile,
  { size, bytes: content }: Content,
  open: (oid: string) => AsyncIterable<Uint8Array>
): RepositoryFile {
  const stream = () => (content === undefined ? open(oid) : once(content))
  const bytes = async () => content ?? toUint8Array(concat(await all(open(oid))))
  return { ...answeredPath(path), mode, oid, size, content, stream, bytes }
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield content
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const list: Uint8Array[] = []
  for await (const chunk of chunks) list.push(chunk)
  return list
}
