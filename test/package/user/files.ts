/** A program that reads the files of a tree. */
import type {
  ArchiveInput,
  CheckoutInput,
  CheckoutResult,
  FilesInput,
  GlobPattern,
  Repository,
  RepositoryFile
} from 'blobwire'

export async function readTree(repo: Repository): Promise<CheckoutResult> {
  const glob: GlobPattern = ['*.md', 'docs/**']
  const input: FilesInput = { revision: 'main', path: 'docs', glob }
  for await (const file of repo.readFiles(input)) {
    const found: RepositoryFile = file
    const content: Uint8Array = found.content ?? (await found.bytes())
    console.log(found.path, found.mode, found.size, content.length)
  }
  const wanted: ArchiveInput = { ...input, format: 'zip', prefix: 'project/' }
  for await (const chunk of repo.archive(wanted)) console.log(chunk.length)
  const place: CheckoutInput = { remove: true, onProgress: ({ files }) => console.log(files) }
  return repo.checkout('/srv/site', place)
}
