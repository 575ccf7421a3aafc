/** The RPCs about blobs. */
import { invalidArgument } from '../../src/core/error.ts'
import { isOid } from '../../src/git/oid.ts'
import { binaryPath, showPath, textForRules } from '../../src/git/raw-path.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid, limitExceeded, notFound, precondition, tooLargeToRead } from './errors.ts'
import { findTree } from './revision.ts'
import { entryAt } from './tree-path.ts'
import type { Workspace } from './workspace.ts'

const noContent = new Uint8Array(0)

/** StoreBlob. */
export function storeBlob(workspace: Workspace, request: Messages['StoreBlobRequest']): Messages['StoreBlobResponse'] {
  const { content } = request
  const { maxInlineBytes } = workspace.limits
  if (content.length > maxInlineBytes) throw limitExceeded('max_inline_bytes', maxInlineBytes, content.length)
  return { oid: workspace.stage('blob', content), size: content.length }
}

/** A blob by its oid, or by revision and path. */
type BlobAddress = Pick<Messages['GetBlobRequest'], 'oid' | 'revision' | 'path' | 'rawPath'>

/** The oid of the blob that a request names. */
export async function blobOid(workspace: Workspace, request: BlobAddress): Promise<string> {
  const { oid, revision } = request
  const path = binaryPath(request)
  if (oid !== '') {
    if (revision !== '' || path !== '') throw invalidArgument('oid', 'must be empty where revision and path are given')
    return checkOid('oid', oid, workspace.format)
  }
  if (path === '') throw invalidArgument('oid', 'is required, or revision and path')
  const entry = await entryAt(workspace, await findTree(workspace, revision), path)
  if (entry === undefined)
    throw notFound('path', `file ${showPath(path)} not found${separatorHint(textForRules(path))}`)
  if (entry.mode === '040000' || entry.mode === '160000') {
    throw precondition('wrong_kind', `${showPath(path)} is not a file`)
  }
  return entry.oid
}

/** GetBlob. */
export async function getBlob(
  workspace: Workspace,
  request: Messages['GetBlobRequest']
): Promise<Messages['GetBlobResponse']> {
  const oid = await blobOid(workspace, request)
  const packed = request.acceptDeflated ? await workspace.readDeflated(oid) : undefined
  if (packed !== undefined) return { oid, ...packed, content: noContent }
  const object = await workspace.read(oid)
  if (object === undefined) throw notFound('object', `object ${oid} not found`)
  if (object.kind !== 'blob') throw precondition('wrong_kind', `${oid} is a ${object.kind}, not a blob`)
  const { size, content } = object
  if (content === undefined) throw tooLargeToRead(oid, workspace.limits.maxInlineBytes, size)
  return { oid, size, content }
}

/** FindMissing. */
export async function findMissing(
  workspace: Workspace,
  request: Messages['FindMissingRequest']
): Promise<Messages['FindMissingResponse']> {
  const oids = [...new Set(request.oids)]
  oids.forEach((oid, index) => {
    if (!isOid(oid, workspace.format)) checkOid(`oids[${index}]`, oid, workspace.format)
  })
  const infos = await Promise.all(oids.map((oid) => workspace.info(oid)))
  return { missing: oids.filter((_oid, index) => infos[index] === undefined) }
}

/** Paths of Windows. */
function separatorHint(path: string): string {
  return path.includes('\\') ? '; segments of a path are separated by "/"' : ''
}
