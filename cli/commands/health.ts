/** `blobwire health`. */
import type { Client, ClientOptions } from '../../src/index.ts'
import { type ClientFlags, clientCommand } from '../connection/flags.ts'
import { withClient } from '../connection/open-client.ts'
import { addressesOf, httpAddress, requestServer } from '../connection/server-request.ts'
import type { Cli, CommandContext } from '../context.ts'
import { exitCodes } from '../errors.ts'

/** The answer of `GET /health/ready`. */
interface Readiness {
  readonly status: string
  /** For operators. */
  readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>
}

export function addHealth({ program, run }: CommandContext): void {
  clientCommand(program, 'health', 'ask a server whether it is ready')
    .addHelpText(
      'after',
      '\nExits with 0 where the server is ready, 7 where it is not or does not answer. No token is needed.'
    )
    .action((flags: ClientFlags) =>
      run((cli) => withClient(cli, flags, (client, options) => tell({ client, options, cli, flags })))
    )
}

interface Asked {
  readonly client: Client
  readonly options: ClientOptions
  readonly cli: Cli
  readonly flags: ClientFlags
}

async function tell({ client, options, cli, flags }: Asked): Promise<number> {
  const { out, signal } = cli
  const start = performance.now()
  const { serverVersion, transports } = await client.getCapabilities({ signal })
  const durationMs = Math.round(performance.now() - start)
  // Over gRPC alone, an answer is all that can be had.
  const { status, checks = {} } = httpAddress(options) === undefined ? { status: 'ready' } : await ask(options, signal)
  const isReady = status === 'ready'
  const [endpoint] = addressesOf(options)
  if (flags.json) await out.json({ status, endpoint, durationMs, serverVersion, transports, checks })
  else {
    await out.line(
      `${out.paint(isReady ? 'green' : 'red', out.name(status))} ${out.name(`${endpoint} blobwire ${serverVersion}`)}, ${durationMs} ms`
    )
    for (const [name, { ok, detail = '' }] of Object.entries(checks))
      await out.line(
        `  ${out.paint(ok ? 'green' : 'red', ok ? 'ok' : 'failed')} ${out.name(`${name} ${detail}`.trim())}`
      )
    for (const { transport, url } of transports) await out.line(`  ${out.name(`${transport} ${url}`)}`)
  }
  return isReady ? exitCodes.done : exitCodes.unavailable
}

function ask(options: ClientOptions, signal: AbortSignal): Promise<Readiness> {
  return requestServer(
    { options, path: '/health/ready', signal },
    async ({ body }) => JSON.parse(await body.text()) as Readiness
  )
}
