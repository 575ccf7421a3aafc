/** Moves the refs of a push as the API does: by `UpdateRefs` under a key, with its rules, events and answers. */
import { randomUUID } from 'node:crypto'
import type { BlobwireError } from '../../src/core/error.ts'
import { methods } from '../../src/schema/methods.ts'
import type { CallContext } from '../service/context.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import type { VcsService } from '../service/vcs-service.ts'
import { bytesOfName } from '../store/ref-bytes.ts'
import type { RefMove } from '../store/store.ts'
import type { Push } from './proc-receive.ts'

/** Refs that are moved together where the client does not ask for all or none: one move costs as much as many. */
const movesTogether = 500

/** Where refs are moved, and for whom. */
export interface PushTarget {
  readonly service: VcsService
  readonly repository: string
  readonly call: CallContext
}

/** After these errors, the outcome of one move may be another one. */
const isOfOneMove = ({ code }: BlobwireError) =>
  code !== 'unavailable' && code !== 'cancelled' && code !== 'deadline_exceeded' && code !== 'internal'

/** Returns for each command, in order, why its ref is not moved. Never rejects. */
export async function movePushedRefs({ commands, atomic }: Push, target: PushTarget): Promise<(string | undefined)[]> {
  if (atomic) return all(commands, await moveTogether(commands, target))
  const reasons: (string | undefined)[] = []
  for (let at = 0; at < commands.length; at += movesTogether) {
    const group = commands.slice(at, at + movesTogether)
    const error = await moveTogether(group, target)
    if (error === undefined || group.length === 1 || !isOfOneMove(error)) reasons.push(...all(group, error))
    else for (const command of group) reasons.push((await moveTogether([command], target))?.message)
  }
  return reasons
}

const all = (commands: readonly RefMove[], error: BlobwireError | undefined) => commands.map(() => error?.message)

/** Moves all or none; returns why none. */
async function moveTogether(
  commands: readonly RefMove[],
  { service, repository, call }: PushTarget
): Promise<BlobwireError | undefined> {
  const updates = commands.map(({ name, expectedOid, newOid }) =>
    name.isWellFormed() ? { name, expectedOid, newOid } : { name: '', rawName: bytesOfName(name), expectedOid, newOid }
  )
  try {
    const request = { repository, requestKey: randomUUID(), updateRefs: { repository: '', updates } }
    await service.call(methods.apply.name, request, call)
    return undefined
  } catch (error) {
    const refusal = toBlobwireError(error)
    // The field of the request means nothing to Git's users.
    const message = refusal.message.replace(
      /^updates\[(\d+)\]\.name/,
      (_, index) => commands[Number(index)]?.name ?? ''
    )
    return refusal.with({ message })
  }
}
