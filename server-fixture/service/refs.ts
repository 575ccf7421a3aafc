/** The RPCs about refs. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { isZeroOid, type ObjectKind } from '../../src/git/oid.ts'
import { refFormatProblem, refNameProblem, refPrefixProblem } from '../../src/git/ref-name.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { bytesOfName, textOfName } from '../store/ref-bytes.ts'
import type { RefMove, StoredRef } from '../store/store.ts'
import { checkOid, missingObjects, precondition, refMismatch } from './errors.ts'
import { PageTokens } from './page-token.ts'
import { firstPage, pageSize } from './paging.ts'
import { isStateRefusal, keyedRequest, type WriteKey } from './request-keys.ts'
import type { Workspace } from './workspace.ts'

/** Prefix, and the last name of the page. */
const tokens = new PageTokens('refs', ['text', 'text'])

const sizeOf = ({ name, oid }: { name: string; oid: string }) => 3 * name.length + oid.length + 30

/** ListRefs. */
export async function listRefs(
  workspace: Workspace,
  request: Messages['ListRefsRequest']
): Promise<Messages['ListRefsResponse']> {
  const limit = pageSize(request.pageSize, 100, 10_000)
  const [prefix, after] = tokens.read(request.pageToken) ?? [request.prefix, '']
  const problem = refPrefixProblem(prefix)
  if (problem !== undefined) throw invalidArgument('prefix', problem)
  const refs = await workspace.listRefs({ prefix, after, limit: limit + 1 })
  const page = firstPage(workspace, refs, { limit, sizeOf })
  const last = page.at(-1)?.name ?? ''
  return { refs: page.map(toRef), nextPageToken: refs.length > page.length ? tokens.write(prefix, last) : '' }
}

/** A ref as answers carry it. */
export function toRef({ name, oid }: StoredRef): Messages['Ref'] {
  return name.isWellFormed() ? { name, oid } : { name: name.toWellFormed(), oid, rawName: bytesOfName(name) }
}

/** The move that an update asks for; a name that is not UTF-8 is as stores hold it. */
export function toMove({ name, rawName, expectedOid, newOid }: Messages['RefUpdate']): RefMove {
  return { name: rawName?.length ? textOfName(Buffer.from(rawName)) : name, expectedOid, newOid }
}

function checkUpdates(workspace: Workspace, updates: readonly RefMove[]): void {
  if (updates.length === 0) throw invalidArgument('updates', 'must not be empty')
  const names = new Set<string>()
  updates.forEach(({ name, expectedOid, newOid }, index) => {
    const text = name.toWellFormed()
    const problem = isZeroOid(newOid) ? refFormatProblem(text) : refNameProblem(text)
    if (problem !== undefined) throw invalidArgument(`updates[${index}].name`, problem)
    if (names.has(name)) throw invalidArgument(`updates[${index}].name`, 'must not be repeated')
    names.add(name)
    checkOid(`updates[${index}].expectedOid`, expectedOid, workspace.format)
    checkOid(`updates[${index}].newOid`, newOid, workspace.format)
  })
}

async function checkTargets(workspace: Workspace, updates: readonly RefMove[]): Promise<void> {
  const targets = updates.filter(({ newOid }) => !isZeroOid(newOid))
  const infos = await Promise.all(targets.map(({ newOid }) => workspace.info(newOid)))
  const missing = targets.filter((_update, index) => infos[index] === undefined)
  if (missing.length > 0) throw missingObjects(missing.map(({ newOid }) => newOid))
  targets.forEach(({ name, newOid }, index) => {
    const kind = infos[index]?.kind as ObjectKind
    if (name.startsWith('refs/heads/') && kind !== 'commit') {
      throw precondition('wrong_kind', `${name} must point to a commit; ${newOid} is a ${kind}`)
    }
  })
}

/** UpdateRefs; with a key, the moves are remembered under it. */
export async function updateRefs(
  workspace: Workspace,
  request: Messages['UpdateRefsRequest'],
  key?: WriteKey
): Promise<Messages['UpdateRefsResponse']> {
  const updates = request.updates.map(toMove)
  checkUpdates(workspace, updates)
  if (workspace.atomic) await checkTargets(workspace, updates)
  const kept = updates.filter(({ newOid }) => !isZeroOid(newOid))
  const results = updates.map(({ expectedOid, newOid }) => {
    if (isZeroOid(newOid)) return 'deleted' as const
    return isZeroOid(expectedOid) ? ('created' as const) : ('moved' as const)
  })
  const response = { refs: kept.map(({ name, newOid }) => toRef({ name, oid: newOid })), results } as const
  const remembered = key && { ...key, request: keyedRequest(key, response, updates) }
  try {
    const mismatches = await workspace.moveRefs(updates, remembered)
    if (mismatches.length > 0) throw refMismatch(mismatches)
    return response
  } catch (error) {
    // The store has looked at the targets, too. Where it refuses, a target that is missing counts more than a mismatch.
    if (error instanceof BlobwireError && isStateRefusal(error)) await checkTargets(workspace, updates)
    throw error
  }
}
