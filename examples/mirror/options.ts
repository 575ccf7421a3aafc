/** The command line of `mirror`. */
import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** A flag that cannot be used; the message names it and says why. */
export class UsageError extends Error {}

const transports = ['auto', 'json', 'msgpack', 'grpc'] as const

/** All flags, as `--help` shows them. */
export const usage = `usage: node examples/mirror/main.ts SOURCE --endpoint URL --repository NAME [flags]
  SOURCE             directory of a local Git repository, bare or not
  --endpoint URL     address of the server
  --repository NAME  where it goes; created where it does not exist
  --transport T      auto, json, msgpack or grpc (default auto)
  --token T          bearer token (default: the environment variable BLOBWIRE_TOKEN)
  --prune            delete refs that the source does not have
  --strict           send nothing where a ref cannot be copied
  --verify           compare both sides afterwards: all refs, line for line, and HEAD
  --data DIR         with --verify, the data directory of a server with the git store: git fsck --strict, too
  --quiet            no progress

Sends only what the server lacks. Exits with 0 = equal, 1 = failed, or --verify found a difference, 2 = wrong usage,
3 = refs were left out.`

/** The options of a run. */
export interface MirrorCommand {
  readonly source: string
  readonly endpoint: string
  readonly repository: string
  readonly transport: (typeof transports)[number]
  readonly token: string | undefined
  readonly prune: boolean
  readonly strict: boolean
  readonly verify: boolean
  readonly data: string | undefined
  readonly quiet: boolean
}

const flags = {
  endpoint: { type: 'string' },
  repository: { type: 'string' },
  transport: { type: 'string', default: 'auto' },
  token: { type: 'string' },
  prune: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  verify: { type: 'boolean', default: false },
  data: { type: 'string' },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
} as const

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: flags, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** Undefined = help is asked for. @throws UsageError */
export function readCommand(args: string[], environment: NodeJS.ProcessEnv): MirrorCommand | undefined {
  const { values, positionals } = parse(args)
  const { endpoint, repository, help, ...rest } = values
  if (help) return undefined
  const [source, ...more] = positionals
  if (source === undefined || more.length > 0) throw new UsageError('one SOURCE is required')
  if (endpoint === undefined) throw new UsageError('--endpoint is required')
  if (repository === undefined) throw new UsageError('--repository is required')
  const transport = transports.find((name) => name === rest.transport)
  if (transport === undefined) throw new UsageError(`--transport must be one of ${transports.join(', ')}`)
  if (rest.data !== undefined && !rest.verify) throw new UsageError('--data needs --verify')
  // Otherwise it would be missed only when everything is sent.
  if (rest.data !== undefined && !statSync(rest.data, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--data: there is no directory ${rest.data}`)
  return {
    ...rest,
    source,
    endpoint,
    repository,
    transport,
    token: rest.token ?? environment['BLOBWIRE_TOKEN'],
    data: rest.data
  }
}
