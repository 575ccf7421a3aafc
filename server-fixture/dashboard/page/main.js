/** The dashboard: follows the feed of the server, a snapshot a second. */
import { createCharts } from './charts.js'
import { duration } from './format.js'
import { showTables, showTiles } from './tables.js'

/** Without a snapshot for this long, the figures are old. */
const silentMs = 5000
/** Time until another try, where the server refused the last one. */
const retryMs = 3000

const states = { ready: ['ready', 'good'], not_ready: ['not ready', 'bad'], draining: ['draining', 'warn'] }
const charts = createCharts()
const feedLine = document.querySelector('#feed')
let silence

function tell(text, className) {
  feedLine.textContent = text
  feedLine.className = className
}

function show(snapshot) {
  const [words, className] = states[snapshot.state]
  const state = document.querySelector('#state')
  state.textContent = words
  state.className = `pill ${className}`
  const processes = snapshot.processes > 1 ? `, ${snapshot.processes} processes` : ''
  document.querySelector('#about').textContent =
    `version ${snapshot.serverVersion}, up ${duration(snapshot.uptimeSeconds)}${processes}`
  document.title = `${Math.round(snapshot.callsPerSecond)}/s · blobwire`
  showTiles(snapshot)
  showTables(snapshot)
  for (const chart of charts) chart.add(Date.parse(snapshot.time) / 1000, snapshot)
}

function follow() {
  const source = new EventSource('dashboard/events')
  source.addEventListener('message', ({ data }) => {
    clearTimeout(silence)
    silence = setTimeout(() => tell('no news from the server', 'warn'), silentMs)
    tell('live', 'quiet')
    show(JSON.parse(data))
  })
  source.addEventListener('error', () => {
    tell('the server does not answer; trying again', 'bad')
    // The browser itself tries again where the connection broke, not after a refusal.
    if (source.readyState !== EventSource.CLOSED) return
    setTimeout(follow, retryMs)
  })
}

follow()
