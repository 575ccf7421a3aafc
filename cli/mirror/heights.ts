/** Levels of what refers to each other: the server takes an object only when it has all that the object refers to. */

/**
 * For each number below `count`: 0 without children, and otherwise one more than the highest of those that `childrenOf`
 * tells for it.
 */
export function heights(count: number, childrenOf: (index: number) => readonly number[]): Uint32Array {
  const found = new Uint32Array(count)
  const isDone = new Uint8Array(count)
  for (let root = 0; root < count; root++) {
    // A list instead of recursion: histories and directories are deeper than the stack.
    const path = isDone[root] ? [] : [{ index: root, next: 0, height: 0 }]
    for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
      const child = childrenOf(place.index)[place.next]
      if (child === undefined) {
        path.pop()
        found[place.index] = place.height
        isDone[place.index] = 1
      } else if (isDone[child]) {
        place.height = Math.max(place.height, (found[child] as number) + 1)
        place.next++
      } else path.push({ index: child, next: 0, height: 0 })
    }
  }
  return found
}
