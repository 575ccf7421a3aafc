/** `blobwire log`. */
import { type ClientFlags, clientCommand, countOf } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { CommandContext } from '../context.ts'
import { gitTime } from '../output/git-time.ts'

interface LogFlags extends ClientFlags {
  readonly maxCount?: number
  readonly path?: string
}

/** The most that a page has. */
const maxPage = 1000

export function addLog({ program, run }: CommandContext): void {
  clientCommand(program, 'log', 'list commits, newest first')
    .argument('<repository>', 'name of the repository')
    .argument('[revision]', 'branch, tag, oid, or such as main~2', 'HEAD')
    .option('-n, --max-count <number>', 'at most this many commits', countOf)
    .option('--path <path>', 'only commits that change this file or directory')
    .action((repository: string, revision: string, flags: LogFlags) =>
      run(({ io, out, signal }) =>
        withClient({ io, signal }, flags, async (client) => {
          const { maxCount = Number.POSITIVE_INFINITY, path } = flags
          const pageSize = Math.min(maxCount, maxPage)
          const commits = client.repository(repository).commits({ revision, path, pageSize }, { signal })
          let left = maxCount
          for await (const commit of commits) {
            if (flags.json) await out.json(commit)
            else {
              const { oid, author, message } = commit
              const [subject = ''] = message.split('\n', 1)
              const time = out.paint('dim', gitTime(author))
              await out.line(`${out.paint('yellow', oid)} ${time} ${out.name(author.name)}: ${out.name(subject)}`)
            }
            if (--left === 0) break
          }
          return undefined
        })
      )
    )
}
