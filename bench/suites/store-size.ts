/** The suite of stores of different sizes. */
import { openBlobwire } from '../contenders/blobwire.ts'
import { contents } from '../measure/load.ts'
import type { Contender, Suite } from '../measure/scenario.ts'

/** Fills the store to a size, then measures calls. */
function filled(objects: number): Contender {
  return {
    name: `${objects.toLocaleString('en')} objects`,
    async open() {
      const { repository, facts, close } = await openBlobwire('msgpack')
      const content = contents(50)
      for (let remaining = objects; remaining > 0; remaining -= 1000) {
        await repository.batch(
          Array.from({ length: Math.min(remaining, 1000) }, () => ({ storeBlob: { content: content() } }))
        )
      }
      const start: { calls: number } = { calls: 0 }
      return {
        facts,
        close,
        async run(durationMs) {
          const began = performance.now()
          start.calls = 0
          const worker = async () => {
            while (performance.now() < began + durationMs) {
              await repository.storeBlob(content())
              start.calls++
            }
          }
          await Promise.all(Array.from({ length: 100 }, worker))
          return ((performance.now() - began) * 1000) / start.calls
        }
      }
    }
  }
}

/** Whether a full store is slower than an empty one. */
export const storeSize: Suite = {
  name: 'store-size',
  about: 'Single calls on a store that holds from 1,000 to 1,000,000 objects already.',
  scenarios: ({ quick }) => [
    {
      suite: 'store-size',
      name: 'storeBlob of 50 B, concurrency 100, by what the store holds already',
      unit: 'us',
      better: 'less',
      baseline: '1,000 objects',
      contenders: [1e3, 1e4, 1e5, ...(quick ? [] : [1e6])].map(filled)
    }
  ]
}
