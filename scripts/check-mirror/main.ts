/**
 * `npm run check:mirror -- [--commits N] [DIRECTORY…]`: copies whole histories with the example `mirror` over each
 * transport into a server with the Git store, and has git compare the copies with the sources. The second run must send
 * nothing. Prints a table, with the time that `git push --mirror` takes. Exits with 1 on any difference.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { mirror } from '../../cli/mirror/mirror.ts'
import { verify } from '../../cli/mirror/verify.ts'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { goodSignatures } from './signing.ts'
import { type MirrorSource, makeSources } from './sources.ts'

const { values, positionals } = parseArgs({
  options: { commits: { type: 'string', default: '2000' } },
  allowPositionals: true
})
const transports = ['json', 'msgpack', 'grpc'] as const

interface Outcome {
  readonly source: MirrorSource
  readonly transport: string
  readonly objects: number
  readonly refs: number
  readonly seconds: number
  readonly pushSeconds: number
  readonly secondSeconds: number
  readonly secondCalls: number
  readonly problems: readonly string[]
}

interface Place {
  readonly server: ServerProcess
  readonly data: string
}

/** Seconds of `git push --mirror` into an empty repository beside the server's. */
async function push({ directory }: MirrorSource, data: string): Promise<number> {
  const target = await mkdtemp(join(data, '~push-'))
  const quiet = { stdio: ['ignore', 'ignore', 'pipe'] } as const
  try {
    execFileSync('git', ['init', '--quiet', '--bare', target], { ...quiet, stdio: [...quiet.stdio] })
    const start = performance.now()
    const args = ['-C', directory, 'push', '--quiet', '--mirror', `file://${target}`]
    execFileSync('git', args, { ...quiet, stdio: [...quiet.stdio] })
    return (performance.now() - start) / 1000
  } finally {
    await rm(target, { recursive: true, force: true })
  }
}

async function check(source: MirrorSource, transport: (typeof transports)[number], place: Place): Promise<Outcome> {
  const { server, data } = place
  let calls = 0
  const client = createClient({
    endpoint: (transport === 'grpc' ? server.grpc : server.http).href,
    transport,
    timeoutMs: 120_000,
    interceptors: [
      (call, next) => {
        calls++
        return next(call)
      }
    ]
  })
  try {
    const pushSeconds = await push(source, data)
    const repo = client.repository(`${source.name.split('/').at(-1)}-${transport}`)
    const times = [performance.now()]
    const first = await mirror({ source: source.directory, repo })
    times.push(performance.now())
    calls = 0
    const second = await mirror({ source: source.directory, repo })
    const secondCalls = calls
    times.push(performance.now())
    const storeDirectory = join(data, `${repo.name}.git`)
    const problems = await verify({ ...first, repo, storeDirectory })
    if (first.leftOut.length > 0) problems.push(`${first.leftOut.length} refs left out: ${first.leftOut[0]?.reason}`)
    if (second.totalFiles + second.totalRefs > 0) problems.push(`the second run has sent ${second.files} objects`)
    const good = goodSignatures(storeDirectory, source.keys, source.signed)
    if (good < source.signed.length) problems.push(`git verifies ${good} of ${source.signed.length} SSH signatures`)
    const [start = 0, middle = 0, end = 0] = times
    return {
      source,
      transport,
      objects: first.files,
      refs: first.refs,
      seconds: (middle - start) / 1000,
      pushSeconds,
      secondSeconds: (end - middle) / 1000,
      secondCalls,
      problems
    }
  } finally {
    await client.close()
  }
}

function tableOf(outcomes: readonly Outcome[]): string {
  const head = ['history', 'transport', 'objects', 'refs', 'seconds', 'objects/s', 'push', 'ratio', 'again']
  const table = new Table({ head: [...head, 'calls', 'result'], style: { head: [], border: [] } })
  for (const { source, transport, objects, refs, seconds, pushSeconds, ...rest } of outcomes) {
    table.push([
      source.name,
      transport,
      objects,
      refs,
      seconds.toFixed(2),
      Math.round(objects / seconds),
      pushSeconds.toFixed(2),
      (seconds / pushSeconds).toFixed(1),
      rest.secondSeconds.toFixed(2),
      rest.secondCalls,
      rest.problems.length === 0 ? 'equal' : 'DIFFERENT'
    ])
  }
  return table.toString()
}

async function main(directory: string, after: (remove: () => void) => void): Promise<void> {
  const sources = await makeSources(Number(values.commits), positionals, { directory, after })
  const outcomes: Outcome[] = []
  for (const source of sources) {
    console.log(`${source.name}: ${source.facts}`)
    const data = await mkdtemp(join(directory, 'data-'))
    const server = await startServerProcess('--store', 'git', '--data', data)
    try {
      for (const transport of transports) outcomes.push(await check(source, transport, { server, data }))
    } finally {
      await server.stop()
    }
  }
  console.log(tableOf(outcomes))
  for (const { source, transport, problems } of outcomes) {
    for (const problem of problems.slice(0, 20)) console.log(`${source.name} ${transport}: ${problem}`)
  }
  if (outcomes.some(({ problems }) => problems.length > 0)) process.exitCode = 1
}

const directory = await mkdtemp(join(tmpdir(), 'blobwire-mirror-'))
const removals: (() => void)[] = []
try {
  await main(directory, (remove) => removals.push(remove))
} finally {
  for (const remove of removals) remove()
  await rm(directory, { recursive: true, force: true })
}
