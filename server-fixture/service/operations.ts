import type { Messages } from '../../src/schema/messages.ts'
import { findMissing, getBlob, storeBlob } from './blobs.ts'
import { commitFiles } from './commit-files.ts'
import { listCommits } from './commit-log.ts'
import { getCommit, storeCommit } from './commits.ts'
import { compare } from './compare.ts'
import type { Access } from './context.ts'
import { listRefs, updateRefs } from './refs.ts'
import { getTree, storeTree } from './trees.ts'
import type { Workspace } from './workspace.ts'

/** Name of what can be done alone or in a batch: the fields of the `Operation` message. */
export type OperationName = keyof Messages['Operation']

/** One kind of operation: the right it needs, and how it is done. */
interface OperationRule<Name extends OperationName> {
  readonly access: Access
  run(
    workspace: Workspace,
    request: NonNullable<Messages['Operation'][Name]>
  ): Promise<NonNullable<Messages['OperationResult'][Name]>> | NonNullable<Messages['OperationResult'][Name]>
}

const rules: { [Name in OperationName]-?: OperationRule<Name> } = {
  storeBlob: { access: 'write', run: storeBlob },
  getBlob: { access: 'read', run: getBlob },
  findMissing: { access: 'read', run: findMissing },
  storeTree: { access: 'write', run: storeTree },
  getTree: { access: 'read', run: getTree },
  storeCommit: { access: 'write', run: storeCommit },
  getCommit: { access: 'read', run: getCommit },
  listCommits: { access: 'read', run: listCommits },
  commitFiles: { access: 'write', run: commitFiles },
  listRefs: { access: 'read', run: listRefs },
  updateRefs: { access: 'write', run: updateRefs },
  compare: { access: 'read', run: compare },
  getRepository: { access: 'read', run: ({ repository }) => ({ ...repository }) }
}

/** How an operation is done, whatever its kind. */
export const operations = rules as unknown as Readonly<
  Record<OperationName, { access: Access; run(workspace: Workspace, request: object): Promise<object> | object }>
>

/** Whether there is an operation of this name. */
export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(rules, name)
}
