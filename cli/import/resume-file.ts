/** The file with the tokens of uploads under way, by which a later run goes on with them. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CommandError } from '../errors.ts'

/** A run between a directory and a branch. */
interface Target {
  readonly endpoint: string
  readonly repository: string
  readonly branch: string
  readonly directory: string
}

/** Each target has a file of its own, outside of the directory. */
export function defaultResumeFile(target: Target, environment: Readonly<Record<string, string | undefined>>): string {
  const { endpoint, repository, branch, directory } = target
  const name = createHash('sha256').update(JSON.stringify([endpoint, repository, branch, resolve(directory)]))
  const state = environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state')
  return join(state, 'blobwire', `import-${name.digest('hex').slice(0, 16)}.json`)
}

/** Tokens by repository and oid. The file is there only while it has some. */
export class ResumeFile {
  readonly #path: string
  readonly #repository: string
  readonly #tokens: Map<string, string>

  /** @throws CommandError where the file cannot be read */
  constructor(path: string, repository: string) {
    this.#path = path
    this.#repository = repository
    this.#tokens = new Map(Object.entries(read(path)))
  }

  get(oid: string): string | undefined {
    return this.#tokens.get(this.#key(oid))
  }

  /** The token is on disk when the call returns, which is before the first byte is sent. */
  set(oid: string, token: string): void {
    this.#tokens.set(this.#key(oid), token)
    this.#write()
  }

  delete(oid: string): void {
    if (this.#tokens.delete(this.#key(oid))) this.#write()
  }

  #key(oid: string): string {
    return `${this.#repository} ${oid}`
  }

  #write(): void {
    try {
      if (this.#tokens.size === 0) return rmSync(this.#path, { force: true })
      mkdirSync(dirname(this.#path), { recursive: true })
      // Whoever has a token can go on with its upload.
      writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#tokens)), { mode: 0o600 })
      renameSync(`${this.#path}.new`, this.#path)
    } catch (error) {
      throw new CommandError(`${this.#path} cannot be written: ${(error as Error).message}`, { cause: error })
    }
  }
}

function read(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new CommandError(`${path} cannot be read; remove it to send large files from their beginning: ${error}`)
  }
}
