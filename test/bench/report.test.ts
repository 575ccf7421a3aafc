/** The benchmark's reports: medians, targets, differences, and a self-contained page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measure, type ScenarioResult } from '../../bench/measure/rounds.ts'
import type { Contender, Scenario } from '../../bench/measure/scenario.ts'
import { halfSpread, median } from '../../bench/measure/statistics.ts'
import { compareRuns } from '../../bench/report/compare.ts'
import { htmlPage } from '../../bench/report/html.ts'
import { describe, type Run } from '../../bench/report/run.ts'
import { scenarioTable, targetTable } from '../../bench/report/table.ts'
import { evaluate } from '../../bench/report/targets.ts'

const effort = { rounds: 3, roundMs: 1, warmUpMs: 1, quick: true }

test('median and spread', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.equal(halfSpread([90, 100, 110]), 0.1)
})

/** A contender whose rounds give these values, after one to warm up; records the order of rounds. */
function scripted(name: string, values: readonly number[], trail: string[]): Contender {
  let round = -1
  return {
    name,
    open: async () => ({
      async run() {
        trail.push(name)
        return round++ < 0 ? Number.NaN : (values[round - 1] as number)
      },
      close: async () => void trail.push(`${name} closed`)
    })
  }
}

function scenario(better: 'more' | 'less', contenders: readonly Contender[]): Scenario {
  const unit = better === 'more' ? 'calls/s' : 'us'
  return { suite: 's', name: 'n', unit, better, baseline: 'b', contenders }
}

test('contenders take turns after their warm-up, and ratios above 1 are better in either direction', async () => {
  const trail: string[] = []
  const two = () => [scripted('a', [100, 300, 200], trail), scripted('b', [50, 100, 100], trail)]
  const more = await measure(scenario('more', two()), effort)
  assert.deepEqual(trail, ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a closed', 'b closed'])
  assert.deepEqual(
    more.contenders.map(({ median: middle, ratio }) => [middle, ratio]),
    [
      [200, 2],
      [100, 1]
    ]
  )
  const less = await measure(scenario('less', two()), effort)
  assert.equal(less.contenders[0]?.ratio, 0.5)
})

function result(name: string, medians: Record<string, number>, spread = 0.01): ScenarioResult {
  const contenders = Object.entries(medians).map(([who, value]) => {
    return { name: who, values: [value], median: value, spread, ratio: 1, facts: {} }
  })
  return { suite: 's', name, unit: 'calls/s', better: 'more', baseline: 'grpc-js unary', contenders }
}

test('a target is met, missed, or not measured', () => {
  const name = 'storeBlob of 50 B, concurrency 100'
  const of = (rate: number) =>
    evaluate([result(name, { 'blobwire, MessagePack': rate, 'grpc-js unary': 100 })]).find(
      ({ text }) => text.endsWith('100 callers, against grpc-js unary') && text.startsWith('calls')
    )
  assert.deepEqual([of(2500)?.met, of(2499)?.met], [true, false])
  assert.equal(of(2499)?.value, 24.99)
  assert.ok(evaluate([]).every(({ met, value }) => met === undefined && value === undefined))
})

test('cost that rises along a row of sizes is told', () => {
  const batch = (size: number, cost: number) =>
    result(`batch of ${size} blobs of 50 B, one batch after the other`, { 'blobwire, MessagePack': cost })
  const verdict = (costs: number[]) =>
    evaluate(costs.map((cost, index) => batch(10 ** index, cost))).find(({ text }) => text.startsWith('cost of an op'))
      ?.met
  assert.equal(verdict([100, 20, 7, 5]), true)
  assert.equal(verdict([100, 20, 5, 7]), false)
})

test('a difference counts only above the noise of both runs', () => {
  const run = (rate: number, spread: number): Run => describe([result('n', { x: rate }, spread)], effort)
  const verdict = (a: Run, b: Run) => compareRuns(a, b)[0]?.verdict
  assert.equal(verdict(run(100, 0.01), run(104, 0.01)), 'no difference')
  assert.equal(verdict(run(100, 0.01), run(120, 0.01)), 'better')
  assert.equal(verdict(run(120, 0.01), run(100, 0.01)), 'worse')
  assert.equal(verdict(run(100, 0.2), run(120, 0.2)), 'no difference')
})

test('the page is self-contained, and escapes names', () => {
  const page = htmlPage(describe([result('a <b> & "c"', { 'blobwire, MessagePack': 3, 'grpc-js unary': 1 })], effort))
  assert.doesNotMatch(page, /<(script|link|img)[^>]+(src|href)=/)
  assert.match(page, /a &lt;b&gt; &amp; &quot;c&quot;/)
  assert.ok(page.length > 150_000, 'the charting library is in it')
  const data = /<script type="application\/json" id="run">(.*?)<\/script>/s.exec(page)?.[1] ?? ''
  assert.equal((JSON.parse(data) as Run).results[0]?.name, 'a <b> & "c"')
})

test('the page fits a telephone, reads its charts aloud, and has them before the targets', () => {
  const name = 'storeBlob of 50 B, concurrency 100'
  const page = htmlPage(describe([result(name, { 'blobwire, MessagePack': 3, 'grpc-js unary': 1 })], effort))
  assert.match(page, /<meta name="viewport" content="width=device-width, initial-scale=1">/)
  assert.match(page, /role="img"\s+aria-label="[^"]*concurrency 100[^"]*blobwire, MessagePack 3; grpc-js unary 1\."/)
  const places = ['<canvas', 'What was promised'].map((text) => page.indexOf(text))
  assert.ok((places[0] as number) > 0 && (places[0] as number) < (places[1] as number))
})

test('tables fit a terminal of 100 columns', () => {
  const facts = {
    transport: 'msgpack',
    oids: 'compared by the client for each of the stored blobs',
    other: 'x'.repeat(20)
  }
  const one = result('n', { 'a contender with a long name': 1 })
  const wide = { ...one, contenders: one.contenders.map((contender) => ({ ...contender, facts })) }
  const text = 'a target whose words go on and on until they are longer than any terminal of a hundred columns is wide'
  const table = scenarioTable(wide) + targetTable([{ text, needed: 'at least 1x', value: 1, met: true }])
  for (const line of table.split('\n')) assert.ok(line.length <= 100, line)
  for (const word of [...Object.values(facts).join(' ').split(' '), ...text.split(' ')])
    assert.ok(table.includes(word), word)
})
