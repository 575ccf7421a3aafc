/** `blobwire refs`. */
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { CommandContext } from '../context.ts'

export function addRefs({ program, run }: CommandContext): void {
  clientCommand(program, 'refs', 'list branches, tags and other refs')
    .argument('<repository>', 'name of the repository')
    .argument('[prefix]', 'only names that begin with this, such as refs/heads/')
    .action((repository: string, prefix: string | undefined, flags: ClientFlags) =>
      run(({ io, out, signal }) =>
        withClient({ io, signal }, flags, async (client) => {
          const refs = client.repository(repository).refs({ prefix, pageSize: 1000 }, { signal })
          for await (const ref of refs) {
            if (flags.json) await out.json(ref)
            else await out.line(`${out.paint('yellow', ref.oid)} ${out.name(ref.name)}`)
          }
          return undefined
        })
      )
    )
}
