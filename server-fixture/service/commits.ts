/** The RPCs about single commits. */
import { invalidArgument } from '../../src/core/error.ts'
import { encodeCommit, type ParsedCommit } from '../../src/git/commit.ts'
import type { Identity } from '../../src/git/signature.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { checkOid } from './errors.ts'
import { checkKinds } from './references.ts'
import { findCommit } from './revision.ts'
import type { Workspace } from './workspace.ts'

/** A signature of a request. @throws BlobwireError `invalid_argument` if it is missing */
export function identityOf(field: string, signature: Messages['Signature'] | undefined): Identity {
  if (signature === undefined) throw invalidArgument(field, 'is required')
  return { ...signature, zone: signature.zone || '+0000' }
}

/** StoreCommit. */
export async function storeCommit(
  workspace: Workspace,
  request: Messages['StoreCommitRequest']
): Promise<Messages['StoreCommitResponse']> {
  const { tree, parents, message } = request
  const author = identityOf('author', request.author)
  const committer = request.committer ? identityOf('committer', request.committer) : author
  checkOid('tree', tree, workspace.format)
  for (const [index, parent] of parents.entries()) checkOid(`parents[${index}]`, parent, workspace.format)
  if (new Set(parents).size !== parents.length) throw invalidArgument('parents', 'must not contain an oid twice')
  const content = encodeCommit({ tree, parents, author, committer, message })
  await checkKinds(workspace, [
    { oid: tree, kind: 'tree' },
    ...parents.map((oid) => ({ oid, kind: 'commit' }) as const)
  ])
  return { oid: workspace.stage('commit', content) }
}

/** A commit as responses carry it; `raw` only where the fields do not hold everything. */
export function toCommit(read: ParsedCommit & { oid: string; raw: Uint8Array }): Messages['Commit'] {
  const { canonical, oid, raw, tree, parents, author, committer, message, encoding } = read
  const fields = { oid, tree, parents: [...parents], author, committer, message, encoding }
  return { ...fields, raw: canonical ? new Uint8Array(0) : raw }
}

/** GetCommit. */
export async function getCommit(
  workspace: Workspace,
  request: Messages['GetCommitRequest']
): Promise<Messages['GetCommitResponse']> {
  const oid = await findCommit(workspace, request.revision)
  return { commit: toCommit({ ...(await workspace.commit(oid)), oid }) }
}
