/** Stands where a part of the store is still to come. */
export function unwritten(_needs: unknown): Error {
  return new Error('this part of the store is not there yet')
}
