/** The file of `--webhooks`: where the server sends push events. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { expectedKeys } from '../../src/core/check-options.ts'
import { invalidArgument } from '../../src/core/error.ts'
import type { WebhookDestination, WebhookGuardOptions, WebhookRetryOptions } from '../../src/webhooks.ts'

/** A destination, and the moves that it is told of. */
export interface PushDestination extends Omit<WebhookDestination, 'types'> {
  /** Names of repositories, `team/*` for all below `team/`, `*` for all. */
  readonly repositories: readonly string[]
  /** Beginnings of the names of refs. An event tells of these refs alone, and is not sent without any. */
  readonly refs: readonly string[]
}

/** Where the server sends push events, and how. */
export interface PushOptions {
  readonly destinations: readonly PushDestination[]
  /** SQLite file of deliveries and cursors; undefined = memory. */
  readonly outbox: string | undefined
  readonly guard: WebhookGuardOptions | undefined
  readonly retry: WebhookRetryOptions | undefined
}

interface DestinationFile extends Omit<WebhookDestination, 'secrets' | 'types'> {
  readonly secrets?: string | readonly string[]
  readonly secretFile?: string
  readonly repositories?: readonly string[]
  readonly refs?: readonly string[]
}

interface PushFile {
  readonly destinations?: readonly DestinationFile[]
  readonly outbox?: string
  readonly guard?: WebhookGuardOptions
  readonly retry?: WebhookRetryOptions
}

const keys = ['destinations', 'outbox', 'guard', 'retry']
const destinationKeys = [
  ...['id', 'url', 'secrets', 'secretFile', 'headers', 'timeoutMs', 'concurrency'],
  ...['repositories', 'refs']
]

function check(where: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(where, 'must be an object of options')
  }
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key))
      throw invalidArgument(`${where}.${key}`, `unknown option; ${expectedKeys(key, allowed)}`)
  }
}

function listOf(where: string, value: unknown, otherwise: readonly string[]): readonly string[] {
  if (value === undefined) return otherwise
  const isList =
    Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '')
  if (!isList) throw invalidArgument(where, 'must be a list of texts')
  return value as string[]
}

/**
 * Reads the file, YAML or JSON. Paths in it are relative to it. The sender checks the rest of each destination.
 * @throws BlobwireError `invalid_argument` naming the option; no message shows a secret
 */
export async function readPushOptions(file: string): Promise<PushOptions> {
  let given: unknown
  try {
    given = parse(await readFile(file, 'utf8'), { prettyErrors: false })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A message of the parser could quote a secret.
    throw invalidArgument(file, code === 'ENOENT' ? 'there is no such file' : `must be YAML or JSON (${code})`)
  }
  check(file, given, keys)
  const { destinations, outbox, guard, retry } = given as PushFile
  if (!Array.isArray(destinations) || destinations.length === 0) {
    throw invalidArgument(`${file}.destinations`, 'must be a list of destinations')
  }
  const beside = (path: string) => resolve(dirname(file), path)
  const all = destinations.map(async (destination: DestinationFile, index): Promise<PushDestination> => {
    const where = `${file}.destinations[${index}]`
    check(where, destination, destinationKeys)
    const { secrets, secretFile, repositories, refs, ...rest } = destination
    if ((secrets === undefined) === (secretFile === undefined)) {
      throw invalidArgument(where, 'must have either secrets or secretFile')
    }
    return {
      ...rest,
      secrets: secrets ?? (await readSecrets(`${where}.secretFile`, beside(secretFile as string))),
      repositories: listOf(`${where}.repositories`, repositories, ['*']),
      refs: listOf(`${where}.refs`, refs, ['refs/'])
    }
  })
  return { destinations: await Promise.all(all), outbox: outbox && beside(outbox), guard, retry }
}

/** One secret on each line. */
async function readSecrets(where: string, path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').flatMap((line) => line.trim() || [])
  } catch (error) {
    throw invalidArgument(where, `cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
