/** `blobwire stats`: the figures of a server. */
import type { Readable } from 'node:stream'
import type { FeedSnapshot } from '../../server-fixture/admin/feed-snapshot.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import { requestServer } from '../connection/server-request.ts'
import type { CommandContext } from '../context.ts'
import { CommandError, exitCodes } from '../errors.ts'
import { describeFigures } from '../output/figures.ts'
import type { Output } from '../output/output.ts'

interface StatsFlags extends ClientFlags {
  readonly watch?: boolean
}

const notes = `
Calls and latencies are those of the last seconds. The token must have the right to operate the server; at the server's
admin port (--admin-port), none is needed.`

/** To the top left corner, and nothing below. */
const clearScreen = '\x1b[H\x1b[J'

export function addStats({ program, run }: CommandContext): void {
  clientCommand(program, 'stats', 'show the figures of a server')
    .option('-w, --watch', 'go on, once a second')
    .addHelpText('after', notes)
    .action((flags: StatsFlags) =>
      run(({ io, out, signal }) =>
        withClient({ io, signal }, flags, async (_client, options) => {
          await requestServer({ options, path: '/dashboard/events', signal }, async ({ statusCode, body }) => {
            if (statusCode !== 200) throw refusal(statusCode, await body.text())
            for await (const figures of snapshots(body)) {
              await show(figures, out, flags)
              if (!flags.watch) return
            }
            signal.throwIfAborted()
            throw new CommandError('the server has ended the figures; it may be shutting down')
          })
          return undefined
        })
      )
    )
}

async function show(figures: FeedSnapshot, out: Output, { json, watch }: StatsFlags): Promise<void> {
  if (json) return out.json(figures)
  const isScreen = watch === true && out.isTerminal
  await out.write(`${isScreen ? clearScreen : ''}${describeFigures(figures, out).join('\n')}\n`)
  if (watch && !isScreen) await out.line('')
}

/** Server-sent events, with data of one line each. The first snapshot has no rates, and is left out. */
async function* snapshots(body: Readable): AsyncGenerator<FeedSnapshot, void> {
  let rest = ''
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((each) => each.startsWith('data:'))) {
      const figures = JSON.parse(line.slice('data:'.length)) as FeedSnapshot
      if (figures.windowMs > 0) yield figures
    }
  }
}

function refusal(status: number, body: string): CommandError {
  const isRefused = status === 401 || status === 403
  const hint = isRefused ? '; the figures are for tokens with the right to operate' : ''
  const exitCode = isRefused ? exitCodes.refused : exitCodes.failed
  return new CommandError(`the server refuses the figures: HTTP ${status} ${messageIn(body)}${hint}`, { exitCode })
}

function messageIn(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message ?? '')
  } catch {
    return ''
  }
}
