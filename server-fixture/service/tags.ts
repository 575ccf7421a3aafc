/** The RPCs about annotated tags. */
import { encodeTag, isSignedTag, parseTag } from '../../src/git/tag.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { identityOf } from './commits.ts'
import { checkOid, limitExceeded, missingObjects, precondition } from './errors.ts'
import { checkKinds } from './references.ts'
import { findObject } from './revision.ts'
import type { Workspace } from './workspace.ts'

/** StoreTag. */
export async function storeTag(
  workspace: Workspace,
  request: Messages['StoreTagRequest']
): Promise<Messages['StoreTagResponse']> {
  const { object, name, message } = request
  checkOid('object', object, workspace.format)
  const tagger = identityOf('tagger', request.tagger)
  const kind = request.kind || (await workspace.info(object))?.kind
  if (kind === undefined) throw missingObjects([object])
  const content = encodeTag({ object, kind, name, tagger, message })
  await checkKinds(workspace, [{ oid: object, kind }])
  return { oid: workspace.stage('tag', content) }
}

/** GetTag. */
export async function getTag(
  workspace: Workspace,
  { revision }: Messages['GetTagRequest']
): Promise<Messages['GetTagResponse']> {
  const { oid, kind } = await findObject(workspace, revision)
  if (kind !== 'tag') throw precondition('wrong_kind', `${oid} is a ${kind}, not an annotated tag`)
  const { maxBatchBytes } = workspace.limits
  const size = (await workspace.info(oid))?.size ?? 0
  if (size > maxBatchBytes) throw limitExceeded('max_batch_bytes', maxBatchBytes, size)
  const bytes = await workspace.content('tag', oid)
  const { canonical, ...fields } = parseTag(bytes)
  return { tag: { oid, ...fields, raw: canonical && !isSignedTag(fields) ? new Uint8Array(0) : bytes } }
}
