/** `blobwire mirror`: copies a local Git repository, with all history, to a server. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientFlags, clientCommand, repositoryOf } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import type { Cli, CommandContext } from '../context.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { MirrorResult } from '../mirror/mirror.ts'
import type { LeftOutRef, Plan } from '../mirror/plan.ts'
import { mirrorView } from '../mirror/progress-view.ts'
import { megabytes, progressDisplay } from '../output/progress-display.ts'

interface MirrorFlags extends ClientFlags {
  readonly repository?: string
  readonly prune?: boolean
  readonly strict?: boolean
  readonly verify?: boolean
  readonly data?: string
  readonly quiet?: boolean
}

const notes = `
Sends only what the server lacks. Exits with 3 where refs were left out, and with 1 where --verify found a difference.
docs/mirror.md tells more.`

export function addMirror({ program, run }: CommandContext): void {
  clientCommand(program, 'mirror', 'copy a local Git repository with all its history')
    .argument('<source>', 'directory of a local Git repository, bare or not')
    .argument('[repository]', 'where it goes; created where it does not exist')
    .option('--repository <name>', 'the same')
    .option('--prune', 'delete refs that the source does not have')
    .option('--strict', 'send nothing where a ref cannot be copied')
    .option('--verify', 'compare both sides afterwards: all refs, line for line, and HEAD')
    .option('--data <dir>', 'with --verify, the data directory of a server with the git store: git fsck --strict, too')
    .option('-q, --quiet', 'show no progress')
    .addHelpText('after', notes)
    .action((source: string, given: string | undefined, flags: MirrorFlags) =>
      run((cli) => {
        const { data, verify } = flags
        if (data !== undefined && !verify) throw new UsageError('--data needs --verify')
        // Otherwise it would be missed only when everything is sent.
        if (data !== undefined && !statSync(data, { throwIfNoEntry: false })?.isDirectory())
          throw new UsageError(`--data: there is no directory ${data}`)
        return copy(source, repositoryOf(given, flags), { cli, flags })
      })
    )
}

interface Called {
  readonly cli: Cli
  readonly flags: MirrorFlags
}

async function copy(source: string, repository: string, { cli, flags }: Called): Promise<number> {
  const { io, out } = cli
  const { prune, strict = false, data, json } = flags
  const { mirror } = await import('../mirror/mirror.ts')
  const { verify } = await import('../mirror/verify.ts')
  const display = await progressDisplay(io.stderr, mirrorView, flags)
  return withClient(cli, { timeout: '5m', ...flags }, async (client) => {
    try {
      const repo = client.repository(repository)
      const { limits } = await client.getCapabilities({ signal: cli.signal })
      const start = performance.now()
      let plan: Plan | undefined
      const onPlan = (found: Plan) => {
        plan = found
        if (!json) for (const line of linesOf(found, cli)) io.stdout.write(`${line}\n`)
      }
      const result = await mirror({ source, repo, limits, prune, strict, onPlan, onProgress: display.show })
      display.end()
      const planned = plan?.leftOut.length ?? 0
      const isRefused = strict && planned > 0
      const seconds = (performance.now() - start) / 1000
      const storeDirectory = data && join(data, `${repository}.git`)
      const found = flags.verify && !isRefused ? await verify({ ...result, repo, storeDirectory }) : undefined
      const { source: _source, leftOut, phase: _phase, ...counts } = result
      if (json) await out.json({ ...counts, seconds, leftOut, tooLarge: plan?.large ?? [], differences: found })
      else {
        for (const line of leftOutLines(leftOut.slice(planned), cli)) await out.line(line)
        if (isRefused) await out.line('nothing was sent (--strict)')
        else await tell(result, seconds, cli)
        for (const line of found ?? []) await out.line(`DIFFERENT: ${out.name(line)}`)
        if (found?.length === 0) await out.line(equality(leftOut.length > 0, storeDirectory !== undefined))
      }
      if (found !== undefined && found.length > 0) return exitCodes.failed
      return leftOut.length > 0 ? exitCodes.partial : exitCodes.done
    } catch (error) {
      display.end()
      if (io.signal.aborted && !json)
        await cli.err.line('interrupted; no ref was lost, and the same command sends the rest')
      throw error
    } finally {
      display.end()
    }
  })
}

function leftOutLines(leftOut: readonly LeftOutRef[], { out }: Cli): string[] {
  if (leftOut.length === 0) return []
  return [
    `refs that cannot be copied, and are left out (${leftOut.length}):`,
    ...leftOut.map(({ name, reason }) => `  ${out.name(`${name}: ${reason}`)}`)
  ]
}

/** Told before anything is sent. */
function linesOf({ large, leftOut }: Plan, cli: Cli): string[] {
  const objects = large.map(({ oid, kind, size, path }) => `  ${kind} ${oid} ${size} bytes ${cli.out.name(path)}`)
  if (objects.length > 0) objects.unshift(`objects that are too large for the server (${large.length}):`)
  return [...objects, ...leftOutLines(leftOut, cli)]
}

async function tell({ files, transferredBytes, refs, source }: MirrorResult, seconds: number, { out }: Cli) {
  const rate = seconds > 0 ? `, ${Math.round(files / seconds)} objects/s` : ''
  const sent = `${files} objects (${megabytes(transferredBytes)}) sent`
  await out.line(`${sent}, ${refs} refs updated in ${seconds.toFixed(1)} s${rate}`)
  if ('oid' in source.head)
    await out.line(`HEAD of the source is detached at ${source.head.oid}; a server's HEAD names a branch`)
}

function equality(isPartial: boolean, isChecked: boolean): string {
  const checked = isChecked ? ', and git fsck --strict finds nothing new' : ''
  return `equal${isPartial ? ', but for the refs that are left out' : ''}: refs and HEAD${checked}`
}
