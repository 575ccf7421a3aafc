/**
 * `npm run simulate [-- --measure] [--core-price N] [--terabyte-price N]`: how calls a second, latency and cost grow with
 * the number of databases, and what a hot repository does. No servers run: queues with the measured costs stand for them,
 * those of `costs.ts` or, with `--measure`, of this machine.
 */
import { inspect, parseArgs } from 'node:util'
import Table from 'cli-table3'
import { short } from '../report/table.ts'
import { measured } from './costs.ts'
import { measureCosts } from './measure.ts'
import { grow, type Heated, heat, type Prices, store } from './scenarios.ts'
import type { CallFigures, Figures } from './simulate.ts'

const { values } = parseArgs({
  options: {
    measure: { type: 'boolean', default: false },
    'core-price': { type: 'string', default: '25' },
    'terabyte-price': { type: 'string', default: '250' }
  }
})
const costs = values.measure ? await measureCosts() : measured
if (values.measure) process.stdout.write(`${inspect(costs)}\n`)
const prices: Prices = { core: Number(values['core-price']), terabyte: Number(values['terabyte-price']) }

const ms = (us: number) => (Number.isNaN(us) ? '-' : short(us / 1000))
const percent = (share: number) => `${Math.round(share * 100)} %`
const rate = ({ perSecond }: CallFigures) => short(perSecond)

function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const colAligns = head.map(() => 'right' as const)
  const table = new Table({ head: [...head], colAligns, style: { head: [], border: [] } })
  table.push(...rows.map((row) => [...row]))
  process.stdout.write(`${title}\n${table}\n\n`)
}

const grown = grow(prices, costs)
const first = grown[0]?.figures.all.perSecond ?? Number.NaN
print(
  'Growing: 8 cores a database and its standby, 8 servers of a core and 600 callers for each; 70 % reads, 20 % blobs, 10 % commits',
  [
    'databases',
    'calls/s',
    'of linear',
    'p50 ms',
    'p99 ms',
    'servers busy',
    'databases busy',
    'a month',
    'a million calls'
  ],
  grown.map(({ shards, figures: { all, serversBusy, shardsBusy }, cost, costOfMillion }) => [
    String(shards),
    rate(all),
    percent(all.perSecond / first / shards),
    ms(all.p50Us),
    ms(all.p99Us),
    percent(serversBusy),
    percent(shardsBusy),
    short(cost),
    short(costOfMillion)
  ])
)
const heated = heat(costs)
for (const [title, of] of [
  ['any server takes a call', ({ figures }) => figures],
  ['one server takes all calls of a repository', ({ routed }) => routed]
] satisfies [string, (heated: Heated) => Figures][]) {
  print(
    `A hot repository: 8 databases, 64 servers, 2,000 callers that commit; ${title}`,
    ['its share', 'commits/s', 'its own', 'p50 ms', 'p99 ms', 'of others', 'p50 ms', 'p99 ms', 'busiest database'],
    heated.map((one) => {
      const { all, hot, others, busiestShard } = of(one)
      const rest = [rate(others), ms(others.p50Us), ms(others.p99Us), percent(busiestShard)]
      return [percent(one.share), rate(all), rate(hot), ms(hot.p50Us), ms(hot.p99Us), ...rest]
    })
  )
}
print(
  'Objects: 1.5 KB each as stored, 140 B of row, 65 B of index',
  ['objects', 'TB', 'index GB', 'databases', 'storage a month'],
  [1e8, 1e9, 1e10, 1e11].map((count) => {
    const { terabytes, indexGigabytes, shards, monthlyCost } = store(count, prices)
    const exponent = Math.round(Math.log10(count))
    return [`10^${exponent}`, short(terabytes), short(indexGigabytes), String(shards), short(monthlyCost)]
  })
)
