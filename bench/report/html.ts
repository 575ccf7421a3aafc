/** The report of a run as one HTML page. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ScenarioResult } from '../measure/rounds.ts'
import type { Run } from './run.ts'
import { short } from './table.ts'

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => escapes[character] ?? character)

function rows(cells: readonly (readonly string[])[]): string {
  return cells.map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('\n')
}

function section(result: ScenarioResult, index: number): string {
  const { name, unit, better, baseline, contenders } = result
  const table = contenders.map((one) => [
    one.name,
    `${short(one.ratio)}x`,
    short(one.median),
    `${short(Math.min(...one.values))} – ${short(Math.max(...one.values))}`,
    Object.entries(one.facts)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')
  ])
  return `<section><h3>${escaped(name)}</h3>
<p>${better === 'more' ? 'Longer bars are better' : 'Shorter bars are better'}. Ratio to ${escaped(baseline)}.</p>
<div class="chart" style="height:${60 + contenders.length * 30}px"><canvas id="c${index}" role="img"
aria-label="${escaped(spoken(result))}"></canvas></div>
${tableOf(['who', 'ratio', `median, ${unit}`, 'least – most', 'what it used'], rows(table))}</section>`
}

/** The chart for those who have it read to them. */
function spoken({ name, unit, contenders }: ScenarioResult): string {
  const bars = contenders.map((one) => `${one.name} ${short(one.median)}`)
  return `Bar chart of ${name}, medians in ${unit}: ${bars.join('; ')}.`
}

/** A narrow screen scrolls the table, not the page. */
function tableOf(head: readonly string[], body: string): string {
  const row =
    head.length === 0 ? '' : `<tr>${head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')}</tr>`
  return `<div class="wide"><table>${row}\n${body}</table></div>`
}

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0 2rem}td,th{padding:.2rem .8rem .2rem 0;text-align:left;
border-bottom:1px solid #8884}td:nth-child(2),td:nth-child(3){font-variant-numeric:tabular-nums}.met{color:#2a8a4a}.missed{color:#c33}
.chart{position:relative}.wide{overflow-x:auto}@media (max-width:40rem){body{margin:1rem auto}}`

const script = `const dark=matchMedia('(prefers-color-scheme: dark)').matches;Chart.defaults.color=dark?'#ccc':'#444';
Chart.defaults.borderColor=dark?'#fff2':'#0002';const numbers=new Intl.NumberFormat('en',{maximumSignificantDigits:3});
const labels={id:'labels',afterDatasetsDraw(chart){const {ctx,chartArea}=chart;ctx.save();ctx.fillStyle=Chart.defaults.color;ctx.textBaseline='middle';
ctx.font='12px system-ui,sans-serif';chart.getDatasetMeta(0).data.forEach((bar,index)=>{const text=numbers.format(chart.data.datasets[0].data[index]);
const fits=bar.x+8+ctx.measureText(text).width<chartArea.right;ctx.textAlign=fits?'left':'right';ctx.fillText(text,fits?bar.x+8:bar.x-8,bar.y)});ctx.restore()}};const run=JSON.parse(document.getElementById('run').textContent);
run.results.forEach((result,index)=>{const wide=Math.max(...result.contenders.map(c=>c.median))/Math.min(...result.contenders.map(c=>c.median))>50;
new Chart(document.getElementById('c'+index),{type:'bar',plugins:[labels],data:{labels:result.contenders.map(c=>c.name),datasets:[
{label:'median, '+result.unit,data:result.contenders.map(c=>c.median),backgroundColor:result.contenders.map(c=>c.name.startsWith('blobwire')?'#3b7dd8':'#9aa5b1')},
{label:'least and most',data:result.contenders.map(c=>[Math.min(...c.values),Math.max(...c.values)]),backgroundColor:'#e0803080',barThickness:4}]},
options:{indexAxis:'y',maintainAspectRatio:false,animation:false,scales:{x:{type:wide?'logarithmic':'linear',title:{display:true,text:result.unit+(wide?' (logarithmic)':'')}}}}})})`

/** The run as one self-contained page with charts, tables and the conditions of the measurement. */
export function htmlPage(run: Run): string {
  const chart = readFileSync(
    fileURLToPath(new URL('../../node_modules/chart.js/dist/chart.umd.min.js', import.meta.url)),
    'utf8'
  )
  const { rounds, roundMs } = run.effort
  const facts = [...Object.entries(run.host), ...Object.entries(run.versions)].map(([key, value]) => [
    key,
    String(value)
  ])
  const targets = run.targets.filter(({ value }) => value !== undefined)
  const list = targets.map(
    ({ text, needed, value, met }) =>
      `<tr><td>${escaped(text)}</td><td>${escaped(needed)}</td><td>${short(value ?? 0)}</td>` +
      `<td class="${met ? 'met' : 'missed'}">${met ? 'met' : 'missed'}</td></tr>`
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>blobwire benchmark</title><style>${style}</style></head><body>
<h1>blobwire benchmark, ${escaped(run.date.slice(0, 10))}</h1>
<p>blobwire stores and reads versioned content on a remote service. Here it is compared with other ways of doing the same
work: storing small blobs on a server in another process of the same machine. Each contender works for ${roundMs} ms, then
the next one; after ${rounds} rounds the median of each is taken, so that what else the machine does hits all alike. Every
stored blob's oid is checked by the client, except by the raw TCP echo, which only shows what the network and two event
loops allow. Ratios can be compared between machines, absolute figures cannot.</p>
<h2>What was measured</h2>
${run.results.map(section).join('\n')}
${targets.length > 0 ? `<h2>What was promised</h2>${tableOf(['what', 'needed', 'measured', 'verdict'], list.join('\n'))}` : ''}
<h2>Where</h2>${tableOf([], rows(facts))}
<script type="application/json" id="run">${JSON.stringify(run).replaceAll('<', '\\u003c')}</script>
<script>${chart.replaceAll('</script', '<\\/script')}</script><script>${script}</script></body></html>
`
}
