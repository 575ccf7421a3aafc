/** The repository as a remote of Git. */
import { Credentials } from '../call/credentials.ts'
import { originOf } from '../connection/endpoint.ts'
import { BlobwireError } from '../core/error.ts'
import type { CallInvoker } from './call-invoker.ts'
import type { RepositoryCalls } from './calls.ts'

/**
 * Variables for a process that runs Git: `{ ...process.env, ...await repo.gitEnvironment() }`. Empty for a client without a
 * token.
 */
export type GitEnvironment = Readonly<Record<string, string>>

/** @internal `http(s)://host:port/{repository}.git` at the first endpoint that Git can speak to. @throws BlobwireError `failed_precondition` */
export function remoteUrl({ invoker, repository }: Pick<RepositoryCalls, 'invoker' | 'repository'>): string {
  const endpoint = [...invoker.options.endpoints.values()].find(({ protocol }) => protocol === 'http')
  if (endpoint) return `${originOf(endpoint)}/${repository}.git`
  const message = `Git speaks HTTP: give the client an endpoint http://host:port or https://host:port beside ${invoker.endpoint}`
  throw new BlobwireError({ code: 'failed_precondition', message })
}

/** @internal Source: git-config(1), GIT_CONFIG_COUNT and http.<url>.extraHeader. */
export async function gitEnvironment(calls: Pick<RepositoryCalls, 'invoker' | 'repository'>): Promise<GitEnvironment> {
  const url = remoteUrl(calls)
  const authorization = await authorizationOf(calls.invoker)
  if (authorization === undefined) return {}
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${url}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: ${authorization}`,
    // A token that the server does not accept is no reason to ask for a name and a password.
    GIT_TERMINAL_PROMPT: '0'
  }
}

async function authorizationOf({ options, clock }: CallInvoker): Promise<string | undefined> {
  if (options.token === undefined) return undefined
  const { authorization } = await new Credentials(options.token, clock, options.timeoutMs).addTo({})
  return authorization
}
