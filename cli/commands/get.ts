/** `blobwire get`. */
import type { Download } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { Cli, CommandContext } from '../context.ts'
import { UsageError } from '../errors.ts'
import { transferDisplay } from '../output/transfer-display.ts'

interface GetFlags extends ClientFlags {
  readonly output?: string
  readonly revision: string
  readonly oid?: string
  readonly quiet?: boolean
}

export function addGet({ program, run }: CommandContext): void {
  clientCommand(program, 'get', 'write the content of a file to standard output, or to a file')
    .argument('<repository>', 'name of the repository')
    .argument('[path]', 'the file')
    .option('-r, --revision <revision>', 'branch, tag, oid, or such as main~2', 'HEAD')
    .option('--oid <oid>', 'a blob by its oid, in place of a path')
    .option('-o, --output <file>', 'write it there, whole or not at all')
    .option('-q, --quiet', 'show no progress')
    .action((repository: string, path: string | undefined, flags: GetFlags) =>
      run((cli) =>
        withClient(cli, flags, async (client) => {
          const { oid, output, revision } = flags
          if ((path === undefined) === (oid === undefined)) throw new UsageError('one of [path] and --oid is required')
          const address = path === undefined ? { oid: oid as string } : { revision, path }
          const display = await transferDisplay(cli, { ...flags, quiet: flags.quiet || output === undefined })
          const options = { signal: cli.signal, onProgress: display.show }
          const download = client.repository(repository).download(address, options)
          try {
            if (output === undefined) await writeOut(download, cli)
            else {
              const written = await download.toFile(output)
              display.end()
              if (flags.json) await cli.out.json(written)
              else if (!flags.quiet) await cli.err.line(`${written.oid} ${written.size} bytes`)
            }
          } finally {
            display.end()
            await download.close()
          }
          return undefined
        })
      )
    )
}

async function writeOut(download: Download, { out }: Cli): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of download) {
    await out.write(out.isTerminal ? out.text(decoder.decode(chunk, { stream: true })) : chunk)
  }
  if (out.isTerminal) await out.write(out.text(decoder.decode()))
}
