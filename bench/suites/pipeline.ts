/** The suite of the pipeline's own cost. */
import { bareTransport } from '../contenders/bare.ts'
import { blobwire } from '../contenders/blobwire.ts'
import { contents, type Load, loaded } from '../measure/load.ts'
import type { Suite } from '../measure/scenario.ts'

const load: Load = { concurrency: 100, content: contents(50), unit: 'calls/s' }
/** Everything that can be asked for. */
const all = { attemptTimeoutMs: 20_000, hedge: { delayMs: 1000 } }

/** The cost of deadlines, limits, retries and breakers without failures. */
export const pipeline: Suite = {
  name: 'pipeline',
  about: 'The layers above the transport: deadline, concurrency limit, retry, breaker, statistics.',
  scenarios: () => [
    {
      suite: 'pipeline',
      name: 'storeBlob of 50 B, concurrency 100, with and without the layers',
      unit: 'calls/s',
      better: 'more',
      baseline: 'batches and transport alone',
      contenders: [
        loaded('blobwire, MessagePack', load, () => blobwire('msgpack')),
        loaded('… with a time for each attempt', load, () => blobwire('msgpack', all)),
        loaded('batches and transport alone', load, bareTransport)
      ]
    }
  ]
}
