/** Asks the store at once for all that an atomic batch needs to know of refs. */
import { isOid, isZeroOid } from '../../src/git/oid.ts'
import { refFormatProblem } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { KeyRemembered } from '../store/store.ts'
import { toMove } from './refs.ts'
import { replacedIn } from './replaced.ts'
import type { Workspace } from './workspace.ts'
import { startWrite } from './write-start.ts'

const longName = (branch: string) => (branch.startsWith('refs/heads/') ? branch : `refs/heads/${branch}`)

/**
 * Looks up the key of the batch, the refs that its operations move, and the objects to which they are to point; the
 * workspace knows what is found.
 * @throws KeyRemembered; BlobwireError
 */
export async function beginAtomic(
  workspace: Workspace,
  list: readonly Messages['Operation'][],
  key: string | undefined
): Promise<void> {
  const moves = list.flatMap(({ updateRefs }) => updateRefs?.updates.map(toMove) ?? [])
  const branches = list.flatMap(({ commitFiles }) => (commitFiles ? longName(commitFiles.branch) : []))
  const names = new Set([...moves.map(({ name }) => name), ...branches])
  // The operations refuse other names.
  const refs = [...names].filter((name) => refFormatProblem(name.toWellFormed()) === undefined)
  const keys = key === undefined ? [] : [key]
  if (refs.length + keys.length === 0) return
  const targets = new Set(moves.map(({ newOid }) => newOid).filter((oid) => isOid(oid, workspace.format)))
  const { store, repository } = workspace
  const [{ info, oids, remembered }] = await Promise.all([
    startWrite(store, repository.repository, { refs, keys }),
    // Some of them are made by the batch. A failure is that of the operation which asks again.
    ...Array.from(targets, (oid) => (isZeroOid(oid) ? undefined : workspace.info(oid).catch(() => undefined)))
  ])
  if (key !== undefined && remembered[0] !== undefined) throw new KeyRemembered(key)
  if (info.incarnation !== repository.incarnation) throw replacedIn(workspace)
  workspace.know(refs, oids)
}
