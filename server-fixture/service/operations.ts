/** The operations of a batch: how each is carried out, and the right that it needs. */
import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { findMissing, getBlob, storeBlob } from './blobs.ts'
import { commitFiles } from './commit-files.ts'
import { listCommits } from './commit-log.ts'
import { getCommit, storeCommit } from './commits.ts'
import { compare } from './compare.ts'
import type { Access } from './context.ts'
import { getObject, storeObject } from './objects.ts'
import { listRefs, updateRefs } from './refs.ts'
import { getRepository } from './repositories.ts'
import { getTag, storeTag } from './tags.ts'
import { getTree, storeTree } from './trees.ts'
import type { Workspace } from './workspace.ts'

/** Name of an operation, alone or in a batch: a field of the `Operation` message. */
export type OperationName = keyof Messages['Operation']

/** One kind of operation: the right that it needs, and its function. */
interface OperationDefinition<Name extends OperationName> {
  readonly access: Access
  run(
    workspace: Workspace,
    request: NonNullable<Messages['Operation'][Name]>
  ): Promise<NonNullable<Messages['OperationResult'][Name]>> | NonNullable<Messages['OperationResult'][Name]>
}

const definitions: { [Name in OperationName]-?: OperationDefinition<Name> } = {
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
  apply: {
    access: 'write',
    // Its batch or call carries it out, because it needs their context.
    run: () => {
      throw new BlobwireError({ code: 'internal', message: 'apply has no key' })
    }
  },
  getRepository: { access: 'read', run: getRepository },
  storeObject: { access: 'write', run: storeObject },
  getObject: { access: 'read', run: getObject },
  storeTag: { access: 'write', run: storeTag },
  getTag: { access: 'read', run: getTag }
}

/** The definition of each operation, without the types of its kind. */
export const operations = definitions as unknown as Readonly<
  Record<OperationName, { access: Access; run(workspace: Workspace, request: object): Promise<object> | object }>
>

/** Whether an operation has this name. */
export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(definitions, name)
}
