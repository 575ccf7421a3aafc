/** Sorts what refers to each other: the server takes an object only when it has all that the object refers to. */

/**
 * The numbers below `count`, each after those that `childrenOf` tells for it. Numbers that have no order among each other
 * stay as they are.
 */
export function childrenFirst(count: number, childrenOf: (index: number) => readonly number[]): Uint32Array {
  const order = new Uint32Array(count)
  const isDone = new Uint8Array(count)
  let length = 0
  for (let root = 0; root < count; root++) {
    // A list instead of recursion: directories may be deeper than the stack.
    const path = isDone[root] ? [] : [{ index: root, next: 0 }]
    for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
      const child = childrenOf(place.index)[place.next++]
      if (child === undefined) {
        path.pop()
        if (!isDone[place.index]) order[length++] = place.index
        isDone[place.index] = 1
      } else if (!isDone[child]) path.push({ index: child, next: 0 })
    }
  }
  return order
}
