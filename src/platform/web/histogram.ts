/** `HistogramFunctions` of platform.ts: an HDR histogram of three figures, whose buckets are made when a value falls into them. */
import type { Histogram } from '../platform.ts'

/** Buckets of one octave: each is a thousandth of its values wide. */
const perOctave = 1024

export function newHistogram(): Histogram {
  return new OctaveHistogram()
}

class OctaveHistogram implements Histogram {
  count = 0
  max = 0
  #sum = 0
  /** Counts of the values from `perOctave * 2 ** octave` on; those below are in the first one, too. */
  readonly #octaves: (Uint32Array | undefined)[] = []

  get mean(): number {
    return this.#sum / this.count
  }

  record(value: number): void {
    this.count++
    this.#sum += value
    this.max = Math.max(this.max, value)
    const octave = Math.max(0, Math.floor(Math.log2(value / perOctave)))
    this.#octaves[octave] ??= new Uint32Array(2 * perOctave)
    const bucket = Math.floor(value / 2 ** octave)
    const counts = this.#octaves[octave]
    counts[bucket] = (counts[bucket] as number) + 1
  }

  percentile(percent: number): number {
    let left = Math.max(1, Math.ceil((percent / 100) * this.count))
    for (const [octave, counts = []] of this.#octaves.entries()) {
      for (const [bucket, count] of counts.entries()) {
        left -= count
        if (left <= 0) return Math.min(this.max, (bucket + 1) * 2 ** octave - 1)
      }
    }
    return this.max
  }
}
