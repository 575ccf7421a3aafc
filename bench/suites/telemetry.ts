/** The suite of the cost of metrics and traces. */
import { blobwire, openBlobwire } from '../contenders/blobwire.ts'
import { recordsDurations, scrapes, tracesEveryCall, tracesNoCall } from '../contenders/telemetry.ts'
import { contents, type Load, loaded } from '../measure/load.ts'
import type { Suite } from '../measure/scenario.ts'

const load: Load = { concurrency: 100, content: contents(50), unit: 'calls/s' }
const nobody = 'nobody listens'

async function scraped(transport: 'json' | 'msgpack' | 'grpc') {
  const { client, repository, facts, close } = await openBlobwire(transport)
  const end = scrapes(client)
  const store = (content: Uint8Array) => repository.storeBlob(content)
  return { store, facts, close: () => close().finally(end) }
}

export const telemetry: Suite = {
  name: 'telemetry',
  about: 'The cost of metrics, and of a trace of every call, for the client that is watched.',
  scenarios: () =>
    (['msgpack', 'json', 'grpc'] as const).map((transport) => ({
      suite: 'telemetry',
      name: `storeBlob of 50 B, concurrency 100, watched, ${transport}`,
      unit: 'calls/s',
      better: 'more' as const,
      baseline: nobody,
      contenders: [
        loaded(nobody, load, () => blobwire(transport)),
        loaded('blobwire/prometheus, a scrape each second', load, () => scraped(transport)),
        loaded('callDurations of OpenTelemetry', load, () => blobwire(transport, recordsDurations())),
        loaded('traces, none sampled', load, () => blobwire(transport, tracesNoCall())),
        loaded('traces, every call sampled, attempts: repeated', load, () =>
          blobwire(transport, tracesEveryCall({ attempts: 'repeated' }))
        ),
        loaded('traces, every call and attempt sampled', load, () => blobwire(transport, tracesEveryCall()))
      ]
    }))
}
