/** Who may do what: the tokens of the command line, and of the environment. */
import { type Grant, readGrants } from '../auth.ts'
import { readNamedFile, UsageError } from '../usage-error.ts'
import type { FlagValues } from './usage.ts'

/** A token that has all rights, and where it came from. */
interface GivenToken {
  readonly token: string
  readonly name: string
}

/** @throws UsageError */
export async function grantsOf(values: FlagValues, environment: NodeJS.ProcessEnv): Promise<Grant[]> {
  const given = await tokenOf(values, environment)
  const grants: Grant[] = []
  if (given !== undefined) {
    if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(given.token)) {
      throw new UsageError(`${given.name}: must be a bearer token: letters, digits and -._~+/, with = at the end`)
    }
    grants.push({ ...given, access: 'write', repositories: ['*'], operate: true })
  }
  if (values.tokens === undefined) return grants
  try {
    const read = await readGrants(values.tokens)
    if (read.length === 0) throw new Error('must contain at least one token')
    return [...grants, ...read]
  } catch (error) {
    throw new UsageError(`--tokens: ${(error as Error).message}`)
  }
}

/** A flag counts more than the environment; an empty variable is none. */
async function tokenOf(values: FlagValues, environment: NodeJS.ProcessEnv): Promise<GivenToken | undefined> {
  const { token, 'token-file': file } = values
  if (token !== undefined) {
    if (file !== undefined) throw new UsageError('--token and --token-file exclude each other')
    return { token, name: '--token' }
  }
  if (file !== undefined) return readToken('--token-file', file)
  const { BLOBWIRE_SERVER_TOKEN: fromVariable, BLOBWIRE_SERVER_TOKEN_FILE: fileOfVariable } = environment
  if (fromVariable) return { token: fromVariable, name: 'BLOBWIRE_SERVER_TOKEN' }
  if (!fileOfVariable) return undefined
  return readToken('BLOBWIRE_SERVER_TOKEN_FILE', fileOfVariable)
}

const readToken = async (name: string, file: string) => ({
  token: (await readNamedFile(name, file)).toString().trim(),
  name
})
