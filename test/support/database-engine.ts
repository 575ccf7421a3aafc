/** Engines for tests. */
import { type Binaries, binariesIn, findBinaries } from '../../server-fixture/store/postgres/embedded/binaries.ts'
import { type Engine, type EngineOptions, startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'

/** Those of npm, or of another version: `BLOBWIRE_POSTGRES_BIN=/usr/lib/postgresql/15/bin`. */
export function testBinaries(): Promise<Binaries> {
  const directory = process.env['BLOBWIRE_POSTGRES_BIN']
  return directory === undefined ? findBinaries() : binariesIn(directory)
}

/** Small, for many servers at once, and as durable as any. */
const testSettings = { max_connections: 300, shared_buffers: '32MB' }

/** An engine of a test's own, which may be killed. */
export async function startTestEngine(options: EngineOptions = {}): Promise<Engine> {
  const binaries = options.binaries ?? (await testBinaries())
  return startEngine({ ...options, binaries, settings: { ...testSettings, ...options.settings } })
}
