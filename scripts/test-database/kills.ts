/** Three servers under load on a given cluster: servers are killed, and what a command kills. */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { createClient } from '../../src/index.ts'
import { startBlobWriters } from '../../test/support/blob-writers.ts'

const repository = 'kills'
const everyMs = 5000

interface KillOptions {
  readonly urls: readonly string[]
  /** For `sh`. */
  readonly command: string | undefined
  readonly seconds: number
}

/** Each server begins at another entry point. */
function flagsOf(urls: readonly string[], index: number): string[] {
  const from = index % urls.length
  const rotated = [...urls.slice(from), ...urls.slice(0, from)]
  return ['--store', 'postgres', '--database', rotated.join(',')]
}

/** @throws Error where acknowledged blobs are lost, or calls fail */
export async function runKills({ urls, command, seconds }: KillOptions): Promise<void> {
  const store = await PostgresStore.open({ urls })
  await store.createRepository(repository, 'sha1')
  const servers: ServerProcess[] = []
  for (let index = 0; index < 3; index++) servers.push(await startServerProcess(...flagsOf(urls, index)))
  const client = createClient({ endpoint: servers.map(({ http }) => http.origin) })
  const writers = startBlobWriters(50, ({ content }) => client.storeBlob(repository, content))
  try {
    let kills = 0
    for (const endsAt = performance.now() + seconds * 1000; performance.now() < endsAt; kills++) {
      await writers.more(100)
      if (command !== undefined) await promisify(execFile)('sh', ['-c', command])
      // The last server stays, so that the endpoints of the client do.
      if (kills < 2) await servers[kills]?.kill()
      await sleep(everyMs)
    }
    await writers.more(100)
    await writers.stop()
    const found = await store.hasObjects(repository, writers.acknowledged)
    const lost = found.filter((info) => info === undefined).length
    const gap = Math.round(writers.longestGapMs())
    const counts = `${writers.acknowledged.length} acknowledged, ${lost} lost, ${writers.failures.length} failed`
    console.log(`${kills} rounds of kills: ${counts}, longest gap ${gap} ms`)
    if (lost + writers.failures.length > 0) throw new Error('acknowledged blobs are lost, or calls failed')
  } finally {
    await writers.stop()
    await client.close()
    for (const server of servers) await server.kill()
    await store.close()
  }
}
