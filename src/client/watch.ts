/** Watches: their options. */
import { forCaller } from '../call/caller.ts'
import { isToken, tokenProblem } from '../call/credentials.ts'
import { checkKeys, checkObject, show } from '../core/check-options.ts'
import { asBlobwireError, invalidArgument } from '../core/error.ts'
import { checkHeaders } from '../core/headers.ts'
import { refPrefixProblem } from '../git/ref-name.ts'
import type { RepositoryCalls } from './calls.ts'
import { follow } from './running-watch.ts'
import type { WatchOptions, WatchUpdate } from './watch-types.ts'

const keys = ['signal', 'headers', 'token', 'prefix', 'since']

/** @throws BlobwireError `invalid_argument` */
export function watch(calls: RepositoryCalls, options: WatchOptions = {}): AsyncGenerator<WatchUpdate, void> {
  const called = calls.called('watch')
  try {
    const { prefix, since } = takeOptions(options)
    return follow(calls, { ...options, prefix, since })
  } catch (problem) {
    throw forCaller(asBlobwireError(problem), called, { below: watch })
  }
}

function takeOptions(options: WatchOptions) {
  checkObject('options', options)
  checkKeys('', options, keys)
  const { prefix = '', since, headers, token } = options
  if (typeof prefix !== 'string') throw invalidArgument('prefix', `must be a string, not ${show(prefix)}`)
  const problem = refPrefixProblem(prefix.replace(/\/$/, ''))
  if (problem !== undefined) throw invalidArgument('prefix', problem)
  if (headers !== undefined) checkHeaders(headers)
  if (token !== undefined && !isToken(token)) {
    throw invalidArgument('token', `must be a bearer token${tokenProblem(token)}`)
  }
  const state = typeof since === 'string' ? { cursor: since } : since
  if (state !== undefined && (typeof state?.cursor !== 'string' || state.cursor === '')) {
    throw invalidArgument('since', 'must be the cursor of an update, or { cursor, refs }')
  }
  return { prefix, since: state }
}
