const maxNameLength = 200
const form = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/

/** Why this cannot be the name of a repository; undefined = it can. The rules stand at `Repository` in the proto. */
export function repositoryNameProblem(name: string): string | undefined {
  if (name.length > maxNameLength) return `must have at most ${maxNameLength} characters`
  if (!form.test(name)) return 'must be segments of A-Z a-z 0-9 . _ - joined by "/"'
  for (const segment of name.split('/')) {
    if (segment === '.' || segment === '..' || segment === '__proto__')
      return `must not contain the segment "${segment}"`
    if (/\.(?:git|lock)$/i.test(segment)) return 'must not contain a segment that ends with ".git" or ".lock"'
    if (segment.startsWith('-')) return 'must not contain a segment that begins with "-"'
  }
  return undefined
}
