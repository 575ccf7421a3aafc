/** Names of repositories. The rules are documented at `Repository` in the proto file. */
const maxNameLength = 200
const form = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/

/** Names without a problem, so that a name is looked through once and not for each batch. */
const accepted = new Set<string>()
const maxAccepted = 1000

/** The rule that a name violates; undefined = a repository can have the name. */
export function repositoryNameProblem(name: string): string | undefined {
  if (accepted.has(name)) return undefined
  const problem = findProblem(name)
  if (problem !== undefined) return problem
  if (accepted.size >= maxAccepted) accepted.clear()
  accepted.add(name)
  return undefined
}

/** The name in a URL, or with slashes around it. */
function meant(given: string): string {
  const name = given
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '')
  return name !== given && form.test(name) ? `; did you mean ${JSON.stringify(name)}?` : ''
}

function findProblem(name: string): string | undefined {
  if (name.length > maxNameLength) return `must have at most ${maxNameLength} characters`
  if (!form.test(name)) return `must be segments of A-Z a-z 0-9 . _ - joined by "/"${meant(name)}`
  for (const segment of name.split('/')) {
    if (segment === '.' || segment === '..' || segment === '__proto__')
      return `must not contain the segment "${segment}"`
    if (/\.(?:git|lock)$/i.test(segment)) return 'must not contain a segment that ends with ".git" or ".lock"'
    if (segment.startsWith('-')) return 'must not contain a segment that begins with "-"'
  }
  return undefined
}
