/** Sends the requests of one batch whose order does not matter, several at a time. */

/** Most requests at a time: a store that writes durably gathers those that arrive while it writes. */
const maxParallel = 16
/** Their bytes in all, unless one alone has more: as many as the server's flow control lets pass at once. */
const maxParallelBytes = 32 * 1024 * 1024

/** Resolves when all are sent. Rejects with the first failure; those under way then go on, and no other is begun. */
export async function sendParallel<Run>(
  runs: readonly Run[],
  bytesOf: (run: Run) => number,
  send: (run: Run) => Promise<void>
): Promise<void> {
  const underWay = new Set<Promise<void>>()
  let bytes = 0
  for (const run of runs) {
    const size = bytesOf(run)
    const isFull = () => underWay.size >= maxParallel || (underWay.size > 0 && bytes + size > maxParallelBytes)
    while (isFull()) await Promise.race(underWay)
    bytes += size
    const sent = send(run).finally(() => {
      bytes -= size
      underWay.delete(sent)
    })
    // After a failure, nobody waits for the others.
    sent.catch(() => undefined)
    underWay.add(sent)
  }
  await Promise.all(underWay)
}
