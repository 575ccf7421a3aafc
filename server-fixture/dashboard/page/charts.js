/** Charts of the last five minutes, by uPlot, which the page has as a script of its own. */
/* global uPlot */

const points = 300
const height = 170

const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** One chart: its element, and its lines with their names, colours and values of a snapshot. */
class Chart {
  #element
  #lines
  #values
  #plot

  constructor(id, lines) {
    this.#element = document.querySelector(`#${id}`)
    this.#lines = lines
    this.#values = [[], ...lines.map(() => [])]
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#element.clientWidth, height })).observe(this.#element)
  }

  add(seconds, snapshot) {
    const row = [seconds, ...this.#lines.map(({ value }) => value(snapshot))]
    for (const [at, values] of this.#values.entries()) {
      values.push(row[at])
      if (values.length > points) values.shift()
    }
    if (this.#plot === undefined) this.draw()
    else this.#plot.setData(this.#values)
  }

  /** Draws it anew, as in other colours. */
  draw() {
    this.#plot?.destroy()
    const axis = { stroke: colourOf('--quiet'), grid: { stroke: colourOf('--grid'), width: 1 }, ticks: { show: false } }
    const series = this.#lines.map(({ name, colour }) => ({ label: name, stroke: colourOf(colour), width: 1.5 }))
    const range = (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1]
    const options = {
      width: this.#element.clientWidth,
      height,
      scales: { y: { range } },
      axes: [axis, { ...axis, size: 56 }],
      series: [{}, ...series],
      cursor: { drag: { x: false, y: false } }
    }
    this.#plot = new uPlot(options, this.#values, this.#element)
  }
}

const sum = (list, key) => list.reduce((total, each) => total + each[key], 0)

export function createCharts() {
  const charts = [
    new Chart('chart-calls', [
      { name: 'calls', colour: '--series-1', value: (snapshot) => snapshot.callsPerSecond },
      { name: 'errors', colour: '--series-2', value: (snapshot) => snapshot.errorsPerSecond }
    ]),
    new Chart('chart-latency', [
      { name: 'p50', colour: '--series-1', value: ({ latency }) => latency.p50Ms },
      { name: 'p95', colour: '--series-3', value: ({ latency }) => latency.p95Ms },
      { name: 'p99', colour: '--series-2', value: ({ latency }) => latency.p99Ms }
    ]),
    new Chart('chart-streams', [
      { name: 'connections', colour: '--series-1', value: ({ listeners }) => sum(listeners, 'open') },
      { name: 'streams', colour: '--series-3', value: ({ transports }) => sum(transports, 'streams') }
    ]),
    new Chart('chart-load', [
      { name: 'processor', colour: '--series-1', value: ({ process }) => process.cores },
      { name: 'event loop', colour: '--series-3', value: ({ eventLoop }) => eventLoop.utilization }
    ])
  ]
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const chart of charts) chart.draw()
  })
  return charts
}
