/** Engines for tests. */
import { binariesIn } from '../../server-fixture/store/postgres/embedded/binaries.ts'
import { type Engine, type EngineOptions, startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'

/** An engine of a test's own, which may be killed. `BLOBWIRE_POSTGRES_BIN` names programs of another version. */
export async function startTestEngine(options: EngineOptions = {}): Promise<Engine> {
  const directory = process.env['BLOBWIRE_POSTGRES_BIN']
  const binaries = directory === undefined ? undefined : await binariesIn(directory)
  return startEngine({ binaries, ...options, settings: { ...testSettings, ...options.settings } })
}

/** Small, for many servers at once, and as durable as any. */
const testSettings = { max_connections: 300, shared_buffers: '32MB' }
