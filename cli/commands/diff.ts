/** `blobwire diff`. */
import type { PathChange } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { CommandContext } from '../context.ts'
import { exitCodes } from '../errors.ts'

interface DiffFlags extends ClientFlags {
  readonly null?: boolean
  readonly exitCode?: boolean
}

/** In the letters of `git diff --name-status`. */
const letters: Readonly<Record<PathChange['status'], { letter: string; colour: 'green' | 'red' | 'yellow' }>> = {
  added: { letter: 'A', colour: 'green' },
  deleted: { letter: 'D', colour: 'red' },
  modified: { letter: 'M', colour: 'yellow' },
  type_changed: { letter: 'T', colour: 'yellow' }
}

export function addDiff({ program, run }: CommandContext): void {
  clientCommand(program, 'diff', 'list the paths that differ between two commits or trees')
    .argument('<repository>', 'name of the repository')
    .argument('<base>', 'branch, tag, oid, or such as main~2')
    .argument('[head]', 'the same', 'HEAD')
    .option('-z, --null', 'end each line with NUL instead of a line feed')
    .option('--exit-code', 'exit with 1 where there is a difference')
    .addHelpText(
      'after',
      '\nA = added, D = deleted, M = modified, T = of another kind, such as a link in place of a file.'
    )
    .action((repository: string, base: string, head: string, flags: DiffFlags) =>
      run(({ io, out, signal }) =>
        withClient({ io, signal }, flags, async (client) => {
          let differs = false
          const changes = client.repository(repository).changes({ base, head, pageSize: 1000 }, { signal })
          for await (const change of changes) {
            differs = true
            const { letter, colour } = letters[change.status]
            if (flags.json) await out.json(change)
            else await out.item(`${out.paint(colour, letter)}\t`, change, flags.null ? '\0' : '\n')
          }
          return flags.exitCode && differs ? exitCodes.failed : undefined
        })
      )
    )
}
