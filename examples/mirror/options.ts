/** The command line of `mirror`. */
import { statSync } from 'node:fs'
import {
  onlyArgument,
  parseFlags,
  type ServerCommand,
  serverCommand,
  serverFlags,
  UsageError
} from '../shared/command-line.ts'

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
export interface MirrorCommand extends ServerCommand {
  readonly source: string
  readonly prune: boolean
  readonly strict: boolean
  readonly verify: boolean
  readonly data: string | undefined
}

const flags = {
  ...serverFlags,
  prune: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  verify: { type: 'boolean', default: false },
  data: { type: 'string' }
} as const

/** Undefined = help is asked for. @throws UsageError */
export function readCommand(args: string[], environment: NodeJS.ProcessEnv): MirrorCommand | undefined {
  const { values, positionals } = parseFlags(args, flags)
  if (values.help) return undefined
  const source = onlyArgument(positionals, 'SOURCE')
  const { prune, strict, verify, data } = values
  const command = { ...serverCommand(values, environment), source, prune, strict, verify, data }
  if (data !== undefined && !verify) throw new UsageError('--data needs --verify')
  // Otherwise it would be missed only when everything is sent.
  if (data !== undefined && !statSync(data, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--data: there is no directory ${data}`)
  return command
}
