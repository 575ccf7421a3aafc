/** Has promtool check and try docs/alerts.yml, and parse the queries of docs/grafana.json. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** The queries of a dashboard of Grafana, with a time span in the place of Grafana's own variables. */
export function dashboardQueries(): string[] {
  const text = readFileSync(pathOf('../../docs/grafana.json'), 'utf8').replaceAll('$__rate_interval', '5m')
  const { panels } = JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] }
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
}

/** How many of the checks found something. */
export function checkAlerts(promtool: string): number {
  const check = (subject: string, args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' })
    console.log(`${subject}: promtool ${status === 0 ? 'finds nothing' : `objects\n${stdout}${stderr}`}`)
    return status === 0 ? 0 : 1
  }
  const rules = dashboardQueries().map((expr, index) => ({ record: `query_${index}`, expr }))
  // Of promtool's versions, the older ones read no standard input.
  const directory = mkdtempSync(join(tmpdir(), 'blobwire-queries-'))
  const queries = join(directory, 'queries.json')
  try {
    writeFileSync(queries, JSON.stringify({ groups: [{ name: 'queries', rules }] }))
    return (
      check('docs/alerts.yml', ['check', 'rules', pathOf('../../docs/alerts.yml')]) +
      check('the tests of docs/alerts.yml', ['test', 'rules', pathOf('alerts.test.yml')]) +
      check('the queries of docs/grafana.json', ['check', 'rules', queries])
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
}
