/** `blobwire watch`. */
import type { MovedRef } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { CommandContext } from '../context.ts'
import type { Output } from '../output/output.ts'

interface WatchFlags extends ClientFlags {
  readonly prefix?: string
  readonly since?: string
}

export function addWatch({ program, run }: CommandContext): void {
  clientCommand(program, 'watch', 'follow the refs of a repository: every move, in order')
    .argument('<repository>', 'name of the repository')
    .argument('[prefix]', 'only the ref of this name and those below it, such as refs/heads')
    .option('--since <cursor>', 'go on where an earlier watch was, whose JSON tells its cursor')
    .addHelpText('after', '\nBegins with the refs as they are, and goes on until Ctrl-C, through cuts and restarts.')
    .action((repository: string, prefix: string | undefined, flags: WatchFlags) =>
      run(({ io, out, signal }) =>
        withClient({ io, signal }, flags, async (client) => {
          const updates = client.repository(repository).watch({ prefix, since: flags.since, signal })
          for await (const update of updates) {
            if (flags.json) await out.json(update)
            else {
              const { kind, timeMs, moves } = update
              if (kind === 'gap')
                await out.line(`${out.paint('red', 'gap')}: moves were lost; the refs follow as they are`)
              const time = timeMs === 0 ? kind : new Date(timeMs).toISOString()
              for (const move of moves) await out.line(`${out.paint('dim', time)} ${describe(move, out)}`)
            }
          }
          return undefined
        })
      )
    )
}

const isZero = (oid: string) => /^0+$/.test(oid)

function describe({ name, oldOid, newOid }: MovedRef, out: Output): string {
  const ref = out.name(name)
  if (isZero(newOid)) return `${out.paint('red', '-')} ${ref} ${oldOid}`
  if (isZero(oldOid)) return `${out.paint('green', '+')} ${ref} ${newOid}`
  return `${out.paint('yellow', '>')} ${ref} ${oldOid}..${newOid}`
}
