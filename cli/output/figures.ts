/** The figures of a server as lines. */
import type { FeedMethod, FeedSnapshot } from '../../server-fixture/admin/feed-snapshot.ts'
import type { Output } from './output.ts'

const count = (value: number) => Math.round(value).toLocaleString('en-US')
const milliseconds = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const mebibytes = (bytes: number) => `${count(bytes / 2 ** 20)} MiB`

/** Rows of a table: the first column is text, the others are numbers. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  )
}

function methodTable(title: string, methods: readonly FeedMethod[]): string[] {
  if (methods.length === 0) return []
  const rows = methods.map(({ name, perSecond, errorsPerSecond, p50Ms, p99Ms }) => [
    name,
    count(perSecond),
    count(errorsPerSecond),
    milliseconds(p50Ms),
    milliseconds(p99Ms)
  ])
  return ['', ...table([title, '/s', 'errors/s', 'p50', 'p99'], rows)]
}

export function describeFigures(figures: FeedSnapshot, out: Output): string[] {
  const { state, serverVersion, uptimeSeconds, processes, process, eventLoop, latency, memory } = figures
  const colour = state === 'ready' ? 'green' : 'red'
  const several = processes > 1 ? `, ${processes} processes` : ''
  const failed = figures.checks.filter(({ ok }) => !ok)
  const lines = [
    `${out.paint(colour, out.name(state))} blobwire ${out.name(serverVersion)}, up ${count(uptimeSeconds)} s${several}`,
    ...failed.map(({ name, detail }) => `  ${out.paint('red', 'failed')} ${name}: ${detail}`),
    `calls    ${count(figures.callsPerSecond)}/s, ${count(figures.errorsPerSecond)} errors/s, ${count(figures.inFlight)} in flight`,
    `latency  p50 ${milliseconds(latency.p50Ms)}, p90 ${milliseconds(latency.p90Ms)}, p99 ${milliseconds(latency.p99Ms)}`,
    `process  ${process.cores.toFixed(2)} cores, ${mebibytes(process.residentBytes)}, event loop ${Math.round(eventLoop.utilization * 100)} %, delay p99 ${milliseconds(eventLoop.delayP99Ms)}`,
    `requests ${mebibytes(memory.heldBytes)} of ${mebibytes(memory.maxBytes)}`,
    ...methodTable('method', figures.methods),
    ...methodTable('store', figures.storeSteps)
  ]
  if (figures.errors.length > 0) {
    const rows = figures.errors.map(({ code, reason, count: times }) => [
      reason === '' ? code : `${code} ${reason}`,
      count(times)
    ])
    lines.push('', ...table(['error', 'times'], rows))
  }
  return lines.map((line, index) => (index === 0 ? line : out.text(line)))
}
