/** `blobwire put`. */
import { fstatSync } from 'node:fs'
import type { UploadSource } from '../../src/index.ts'
import { authorOf } from '../author.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { Cli, CommandContext } from '../context.ts'
import { UsageError } from '../errors.ts'
import { transferDisplay } from '../output/transfer-display.ts'

interface PutFlags extends ClientFlags {
  readonly branch?: string
  readonly message?: string
  readonly author?: string
  readonly executable?: boolean
  readonly expectedHead?: string
  readonly requestKey?: string
  readonly create?: boolean
  readonly quiet?: boolean
}

export function addPut({ program, run }: CommandContext): void {
  clientCommand(program, 'put', 'commit one file')
    .argument('<repository>', 'name of the repository')
    .argument('<path>', 'where the file goes')
    .argument('[file]', 'a local file, or - for standard input (default: standard input that is a pipe or a file)')
    .option('-b, --branch <branch>', 'branch of the commit (default: the default branch)')
    .option('-m, --message <text>', 'message of the commit (default: Put PATH)')
    .option('--author <author>', 'such as "Ada <ada@example.org>" (default: as Git knows it, or you at this computer)')
    .option('-x, --executable', 'with the permission to execute')
    .option('--expected-head <oid>', 'only if the branch is there')
    .option('--request-key <key>', 'repeated with the same key, the command commits once')
    .option('--create', 'create the repository where there is none')
    .option('-q, --quiet', 'show no progress')
    .action((repository: string, path: string, file: string | undefined, flags: PutFlags) =>
      run((cli) =>
        withClient(cli, flags, async (client) => {
          const { signal, io, out } = cli
          const { message = `Put ${path}`, create, expectedHead, requestKey, executable } = flags
          const author = authorOf(flags.author, io.env)
          const content = contentOf(file, cli)
          const repo = client.repository(repository)
          if (create) await repo.createRepository({ signal })
          const branch = flags.branch ?? ((await repo.getRepository({ signal })).defaultBranch || 'main')
          const change = { content, mode: executable ? '100755' : '100644' } as const
          const display = await transferDisplay(cli, flags)
          try {
            const input = { branch, changes: new Map([[path, change]]), message: `${message}\n`, author, expectedHead }
            const result = await repo.commitFiles(input, { signal, requestKey, onProgress: display.show })
            display.end()
            if (flags.json) await out.json(result)
            else await out.line(`${out.paint('yellow', result.oid)} ${out.name(result.ref)}`)
          } finally {
            display.end()
          }
          return undefined
        })
      )
    )
}

function contentOf(file: string | undefined, { io: { stdin } }: Cli): UploadSource {
  if (file !== undefined && file !== '-') return { file }
  if (stdin.isTTY) throw new UsageError('[file] is required where standard input is a terminal')
  // Node opens /dev/null in place of a closed one, and cron and CI give it to programs: nobody meant an empty file.
  if (file === undefined && stdin.fd !== undefined && fstatSync(stdin.fd).isCharacterDevice())
    throw new UsageError('[file] is required where standard input is closed or /dev/null; - takes it as it is')
  return stdin as AsyncIterable<Uint8Array>
}
