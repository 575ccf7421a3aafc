/**
 * The main job on real input: imports the installed dependencies over each transport into a Git repository of its own,
 * changes a handful of files, and has Git prove the result. Exits with 1 if anything is off.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { startServerProcess } from '../server-fixture/process.ts'
import type { ProgressListener } from '../src/index.ts'
import { type ImportFigures, importRevisions } from './import.ts'
import { prove } from './proof.ts'
import { changeSourceTree, makeSourceTree, readTree } from './source-tree.ts'

const transports = ['json', 'msgpack', 'grpc'] as const
const dependencies = new URL('../node_modules', import.meta.url).pathname

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1)} MB`

/** The transport's name, and how far its import is. */
function progressBar(transport: string): { show: ProgressListener; end(): void } {
  const format = `${transport.padEnd(8)}{bar} {percentage} % of {megabytes}, {files} files, {rate}/s`
  const bar = new SingleBar({ format, hideCursor: true })
  bar.start(1, 0, { megabytes: '', files: 0, rate: '' })
  return {
    show({ transferredBytes, totalBytes = 0, files, bytesPerSecond }) {
      bar.setTotal(totalBytes)
      bar.update(transferredBytes, { files, megabytes: megabytes(totalBytes), rate: megabytes(bytesPerSecond) })
    },
    end: () => bar.stop()
  }
}

function tellFigures(figures: ImportFigures[]): void {
  const table = new Table({
    head: ['transport', 'commit', 'files', 'bytes', 'requests', 'on the wire', 'seconds', 'objects/s'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] }
  })
  for (const { transport, commit, files, bytes, requests, bytesOnWire, seconds } of figures) {
    table.push([
      transport,
      commit,
      files,
      megabytes(bytes),
      requests,
      megabytes(bytesOnWire),
      seconds.toFixed(2),
      Math.round(files / seconds)
    ])
  }
  console.log(table.toString())
}

async function main(directory: string): Promise<void> {
  const source = join(directory, 'source')
  await makeSourceTree(source, dependencies)
  const first = await readTree(source)
  const large = first.filter(({ size }) => size > 1024 * 1024)
  const sum = (files: readonly { size: number }[]) => megabytes(files.reduce((total, { size }) => total + size, 0))
  console.log(
    `${first.length} files (${sum(first)}); ${large.length} of them above 1 MiB (${sum(large)}) go as streams`
  )
  const { before, removed } = await changeSourceTree(source, first)
  const second = await readTree(source)
  const revisions = [
    { name: 'import', files: before, removed: [] },
    { name: 'change', files: second, removed }
  ]
  const data = join(directory, 'data')
  const server = await startServerProcess('--store', 'git', '--data', data)
  const figures: ImportFigures[] = []
  try {
    for (const transport of transports) {
      const bar = progressBar(transport)
      const target = { transport, repository: `import-${transport}`, http: server.http, grpc: server.grpc }
      figures.push(...(await importRevisions(target, revisions, bar.show)))
      bar.end()
    }
  } finally {
    await server.stop()
  }
  tellFigures(figures)
  const heads = new Set<string>()
  for (const transport of transports) {
    const clone = join(directory, `clone-${transport}`)
    const { head, log } = await prove(join(data, `import-${transport}.git`), clone, second)
    await rm(clone, { recursive: true })
    heads.add(head)
    const imported = figures.findLast((figure) => figure.transport === transport)
    if (imported?.oid !== head)
      throw new Error(`${transport}: HEAD is ${head}, but the client was told ${imported?.oid}`)
    console.log(`${transport}: git fsck --strict is clean, the clone equals the source; git log:`)
    for (const line of log) console.log(`  ${line}`)
  }
  if (heads.size !== 1) throw new Error(`the transports left different HEADs: ${[...heads].join(', ')}`)
  console.log(`HEAD is ${[...heads][0]} in all three repositories`)
}

const directory = await mkdtemp(join(tmpdir(), 'blobwire-demo-'))
try {
  await main(directory)
} catch (error) {
  console.error(`FAILED: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof Error && error.cause) console.error(error.cause)
  process.exitCode = 1
} finally {
  await rm(directory, { recursive: true, force: true })
}
