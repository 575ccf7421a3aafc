/** The command line of `backup-directory`. */
import { hostname, userInfo } from 'node:os'
import type { Author } from '../../src/index.ts'
import {
  onlyArgument,
  parseFlags,
  type ServerCommand,
  serverCommand,
  serverFlags,
  UsageError
} from '../shared/command-line.ts'
import { defaultResumeFile } from './resume-file.ts'

/** All flags, as `--help` shows them. */
export const usage = `usage: node examples/backup-directory.ts DIRECTORY --endpoint URL --repository NAME [flags]
  DIRECTORY          local directory, of any size
  --endpoint URL     address of the server
  --repository NAME  where it goes; created where it does not exist
  --branch NAME      branch of the commit (default main)
  --exclude GLOB     leave out what matches; may be given several times. "*.log" matches at any depth, "build/*" from
                     DIRECTORY on; of a directory that matches, everything is left out
  --message TEXT     message of the commit
  --author TEXT      author of the commit, as "Ada <ada@example.org>" (default: you at this computer)
  --resume-file FILE tokens of uploads under way (default: a file in ~/.local/state/blobwire)
  --transport T      auto, json, msgpack or grpc (default auto)
  --token T          bearer token (default: the environment variable BLOBWIRE_TOKEN)
  --quiet            no progress

Sends only what differs. A run that was interrupted goes on where it was when it is started again. Keeps files, links and
the permission to execute, as Git does; no empty directories, owners and times.
Exits with 0 = the branch is equal to DIRECTORY, 1 = failed, 2 = wrong usage, 3 = done, but entries that no repository can
have were left out (--exclude them to say that this is meant), 130 = interrupted.`

const flags = {
  ...serverFlags,
  branch: { type: 'string', default: 'main' },
  exclude: { type: 'string', multiple: true },
  message: { type: 'string' },
  author: { type: 'string' },
  'resume-file': { type: 'string' }
} as const

/** The options of a run. */
export interface BackupCommand extends ServerCommand {
  readonly directory: string
  readonly branch: string
  readonly exclude: readonly string[]
  readonly message: string
  readonly author: Author
  readonly resumeFile: string
}

function readAuthor(text: string | undefined): { name: string; email: string } {
  if (text === undefined) {
    const { username } = userInfo()
    return { name: username, email: `${username}@${hostname()}` }
  }
  const [, name = '', email = ''] = /^([^<>\n]+) <([^<>\n]*)>$/.exec(text) ?? []
  if (name === '') throw new UsageError('--author must be such as "Ada <ada@example.org>"')
  return { name, email }
}

/** Undefined = help is asked for. @throws UsageError */
export function readCommand(args: string[], environment: NodeJS.ProcessEnv): BackupCommand | undefined {
  const { values, positionals } = parseFlags(args, flags)
  if (values.help) return undefined
  const directory = onlyArgument(positionals, 'DIRECTORY')
  const command = serverCommand(values, environment)
  const { branch, exclude = [], message = `Backup of ${directory}` } = values
  if (exclude.includes('')) throw new UsageError('--exclude must be a glob such as "*.log"')
  const resumeFile = values['resume-file'] ?? defaultResumeFile({ ...command, branch, directory }, environment)
  return { ...command, directory, branch, exclude, message, author: readAuthor(values.author), resumeFile }
}
