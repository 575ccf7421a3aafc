/** The paths of Git over HTTP: `/{repository}.git/…` (gitprotocol-http(5)). */

/** The programs that serve Git's clients. */
export type GitServiceName = 'git-upload-pack' | 'git-receive-pack'

/** The part of a remote that a path names. */
export interface GitAddress {
  readonly repository: string
  /** After `.git/`, undecoded, without the query. */
  readonly part: string
  readonly query: URLSearchParams
}

/** A name has no segment that ends in `.git`, so the first one ends the name. */
const form = /^\/(.+?)\.git\/([^?]*)(?:\?(.*))?$/s

/** Undefined = another route. */
export function gitAddressOf(pathAndQuery: string): GitAddress | undefined {
  const [, name, part = '', query] = form.exec(pathAndQuery) ?? []
  if (name === undefined) return undefined
  return { repository: decoded(name), part, query: new URLSearchParams(query) }
}

/** The first request of a client whose URL lacks `.git`: the name that it gives; undefined = another request. */
export function nameWithoutSuffix(pathAndQuery: string): string | undefined {
  return /^\/([^?]+)\/info\/refs\?service=git-(?:upload|receive)-pack$/.exec(pathAndQuery)?.[1]
}

/** The name of a service as clients send it. */
export function isGitService(name: string | null): name is GitServiceName {
  return name === 'git-upload-pack' || name === 'git-receive-pack'
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    // No valid percent-encoding: the check of names refuses it.
    return name
  }
}
