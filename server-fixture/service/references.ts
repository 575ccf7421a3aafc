/** Checks the objects that trees, commits and refs point to. */
import { kindOfMode } from '../../src/git/mode.ts'
import type { ObjectKind } from '../../src/git/oid.ts'
import { missingObjects, precondition } from './errors.ts'
import type { Workspace } from './workspace.ts'

/**
 * Checks that objects exist and have the right kind, so that no object ever points to a missing one.
 * @throws BlobwireError `failed_precondition`, reason `missing_object` or `wrong_kind`
 */
export async function checkKinds(
  workspace: Workspace,
  wanted: readonly { oid: string; kind: ObjectKind }[]
): Promise<void> {
  const infos = await Promise.all(wanted.map(({ oid }) => workspace.info(oid)))
  const missing = wanted.filter((_item, index) => infos[index] === undefined).map(({ oid }) => oid)
  if (missing.length > 0) throw missingObjects([...new Set(missing)])
  wanted.forEach(({ oid, kind }, index) => {
    const found = infos[index]?.kind
    if (found !== kind) throw precondition('wrong_kind', `${oid} is a ${found}, not a ${kind}`)
  })
}

/** The same for entries of trees. A submodule's commit is in another repository. */
export async function checkObjects(
  workspace: Workspace,
  entries: readonly { mode: string; oid: string }[]
): Promise<void> {
  const inside = entries.filter(({ mode }) => mode !== '160000')
  await checkKinds(
    workspace,
    inside.map(({ mode, oid }) => ({ oid, kind: kindOfMode(mode) }))
  )
}
