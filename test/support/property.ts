/**
 * Properties that fast-check looks for a counterexample to. A failure prints the seed and the smallest counterexample that
 * it found; BLOBWIRE_SEED repeats the run.
 */
import fc from 'fast-check'

/** Of one property; a run that is cut short by it has found nothing. */
const maxMs = 4000

/** How far the search goes. */
export interface Effort {
  readonly runs: number
}

/** @throws Error with the seed and the smallest counterexample */
export function holds<Given>(given: fc.Arbitrary<Given>, check: (given: Given) => void, { runs }: Effort): void {
  fc.assert(fc.property(given, check), parameters(runs))
}

/** The same for a check that takes its time. */
export async function holdsLater<Given>(
  given: fc.Arbitrary<Given>,
  check: (given: Given) => Promise<void>,
  { runs }: Effort
): Promise<void> {
  await fc.assert(fc.asyncProperty(given, check), parameters(runs))
}

function parameters(numRuns: number) {
  const seed = process.env['BLOBWIRE_SEED']
  return { numRuns, interruptAfterTimeLimit: maxMs, ...(seed !== undefined && { seed: Number(seed) }) }
}
