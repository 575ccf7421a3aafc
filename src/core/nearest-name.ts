/** Finds the name that a misspelled name probably stands for. */

/** The candidate with the fewest edits from `name`, if these are few; case does not count. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  let nearest: string | undefined
  let fewest = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase(), fewest)
    if (edits < fewest) {
      nearest = candidate
      fewest = edits
    }
  }
  return nearest
}

/** Levenshtein distance, row by row; where it is not below `enough`, some number that is not either. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const now = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (before[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1)
      now.push(Math.min(replaced, (before[column] as number) + 1, (now[column - 1] as number) + 1))
    }
    before = now
  }
  return before[b.length] as number
}
