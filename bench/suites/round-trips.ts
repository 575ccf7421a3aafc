/** The suite of networks with long round trips. */
import type { Repository } from '../../src/index.ts'
import { blobwire, openBlobwire } from '../contenders/blobwire.ts'
import { grpcUnary } from '../contenders/others.ts'
import { contents, type Load, loaded } from '../measure/load.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'
import { startBenchServer } from '../servers/start.ts'

function scenario(roundTripMs: number): Scenario {
  const load: Load = { concurrency: 100, content: contents(50), unit: 'calls/s' }
  const through = (port: number) => startBenchServer('delay-proxy', String(port), String(roundTripMs))
  return {
    suite: 'round-trips',
    name: `storeBlob of 50 B, concurrency 100, ${roundTripMs} ms of round trip added`,
    unit: 'calls/s',
    better: 'more',
    baseline: 'grpc-js unary',
    contenders: [
      loaded('blobwire, MessagePack', load, () => blobwire('msgpack', {}, through)),
      loaded('blobwire, gRPC', load, () => blobwire('grpc', {}, through)),
      loaded('blobwire, one request a call', load, () => blobwire('msgpack', { batch: false }, through)),
      loaded('grpc-js unary', load, () => grpcUnary(through))
    ]
  }
}

/** Added to see round trips and little else. */
const commitRoundTripMs = 250

/** Round trips of a commit on a warm connection, as its time tells them; all contents are new, and do not compress. */
function commitScenario(files: number): Scenario {
  const through = (port: number) => startBenchServer('delay-proxy', String(port), String(commitRoundTripMs))
  const contender = (transport: 'json' | 'msgpack' | 'grpc'): Contender => ({
    name: `blobwire, ${transport}`,
    async open() {
      const { repository, facts, close } = await openBlobwire(transport, {}, through)
      await repository.storeBlob('')
      return { run: (durationMs) => commitFor(repository, { files, durationMs }), facts, close }
    }
  })
  return {
    suite: 'round-trips',
    name: `commit of ${files} ${files === 1 ? 'file' : 'files'} of 2 KB, ${commitRoundTripMs} ms of round trip added`,
    unit: 'round trips',
    better: 'less',
    baseline: 'blobwire, msgpack',
    contenders: (['msgpack', 'json', 'grpc'] as const).map(contender)
  }
}

async function commitFor(repository: Repository, { files, durationMs }: { files: number; durationMs: number }) {
  const content = contents(2048, 'random')
  const author = { name: 'Bench', email: 'bench@example.org' }
  const end = performance.now() + durationMs
  let [commits, totalMs] = [0, 0]
  do {
    const paths = Array.from({ length: files }, (_, index) => [`dir-${index % 32}/${index}`, content()] as const)
    const begun = performance.now()
    const changes = Object.fromEntries(paths)
    const { oid } = await repository.commitFiles({ branch: 'main', changes, message: 'Bench\n', author })
    totalMs += performance.now() - begun
    commits++
    if (oid.length !== 40) throw new Error(`${oid} is no oid`)
  } while (performance.now() < end)
  return totalMs / commits / commitRoundTripMs
}

/** Calls over a slow network. 100 callers that wait 20 ms each cannot make more than 5,000 calls a second. */
export const roundTrips: Suite = {
  name: 'round-trips',
  about: 'The same through a proxy that adds a round trip of 0 to 100 ms; round trips of a commit.',
  scenarios: ({ quick }) => [
    ...(quick ? [0, 20] : [0, 1, 20, 100]).map(scenario),
    ...(quick ? [10] : [1, 10, 100, 1000]).map(commitScenario)
  ]
}
