/** The tiles and tables. Text goes into the page as text alone: names of repositories and messages are those of strangers. */
import { bytes, milliseconds, number, percent } from './format.js'

function element(name, { text, className } = {}, children = []) {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  made.append(...children)
  return made
}

/** The figures that an operator looks at first. */
export function showTiles(snapshot) {
  const { listeners, transports, process, latency, memory } = snapshot
  const sum = (list, key) => list.reduce((total, each) => total + each[key], 0)
  const tiles = [
    ['calls a second', number(snapshot.callsPerSecond)],
    ['errors a second', number(snapshot.errorsPerSecond), snapshot.errorsPerSecond > 0 ? 'bad' : ''],
    ['half of the calls', milliseconds(latency.p50Ms)],
    ['99 of 100 calls', milliseconds(latency.p99Ms)],
    ['in flight', number(snapshot.inFlight)],
    ['connections', number(sum(listeners, 'open'))],
    ['sessions', number(sum(transports, 'sessions'))],
    ['received a second', bytes(Math.round(sum(listeners, 'receivedBytesPerSecond')))],
    ['sent a second', bytes(Math.round(sum(listeners, 'sentBytesPerSecond')))],
    ['budget of bytes', percent(memory.heldBytes / memory.maxBytes)],
    ['memory', bytes(process.residentBytes)]
  ]
  document
    .querySelector('#tiles')
    .replaceChildren(
      ...tiles.map(([name, value, className]) =>
        element('li', {}, [
          element('b', { text: value, className }),
          element('span', { text: name, className: 'quiet' })
        ])
      )
    )
}

/** A table of these columns: name, value of a row, and whether it is a number. */
function showTable(id, title, { columns, rows, empty }) {
  const section = document.querySelector(`#${id}`)
  if (rows === undefined) return section.replaceChildren()
  if (rows.length === 0) {
    section.replaceChildren(element('h2', { text: title }), element('span', { text: empty, className: 'quiet' }))
    return
  }
  const className = ([, , isNumber]) => (isNumber ? 'number' : '')
  const head = element(
    'tr',
    {},
    columns.map((column) => element('th', { text: column[0], className: className(column) }))
  )
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      columns.map((column) => {
        const value = column[1](row)
        const [text, mark = ''] = Array.isArray(value) ? value : [value]
        return element('td', { text, className: `${className(column)} ${mark}`.trim() })
      })
    )
  )
  const table = element('table', {}, [element('thead', {}, [head]), element('tbody', {}, body)])
  section.replaceChildren(element('h2', { text: title }), element('div', { className: 'scroll' }, [table]))
}

const failing = (value) => [number(value), value > 0 ? 'bad' : '']

const methodColumns = (name) => [
  [name, (row) => row.name],
  ['a second', (row) => number(row.perSecond), true],
  ['errors', (row) => failing(row.errorsPerSecond), true],
  ['p50', (row) => milliseconds(row.p50Ms), true],
  ['p99', (row) => milliseconds(row.p99Ms), true]
]

const transportColumns = [
  ['transport', (row) => row.transport],
  ['calls a second', (row) => number(row.callsPerSecond), true],
  ['errors', (row) => failing(row.errorsPerSecond), true],
  ['sessions', (row) => number(row.sessions), true],
  ['streams', (row) => number(row.streams), true],
  ['in flight', (row) => number(row.inFlight), true],
  ['compression', (row) => `${number(row.compressionRatio)} : 1`, true]
]

const slowColumns = [
  ['time', (row) => row.time.slice(11, 23)],
  ['took', (row) => milliseconds(row.durationMs), true],
  ['method', (row) => (row.operations > 1 ? `${row.method} and ${row.operations - 1} more` : row.method)],
  ['repository', (row) => row.repository],
  ['outcome', (row) => [row.code, row.code === 'ok' ? '' : 'bad']],
  ['transport', (row) => row.transport],
  ['request id', (row) => row.requestId]
]

const destinationColumns = [
  ['destination', (row) => row.name],
  ['breaker', (row) => (row.breakerOpen > 0 ? ['open', 'bad'] : ['closed', 'good'])],
  ['waiting', (row) => number(row.waiting), true],
  ['delivered', (row) => number(row.delivered), true],
  ['failed attempts', (row) => failing(row.failedAttempts), true],
  ['dead letters', (row) => failing(row.dead), true]
]

/** `heldBytes` -> "held". */
const inWords = (name) => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/ bytes$/, '')

const pairs = (subject, figures) => Object.entries(figures).map(([name, value]) => [name, value, subject])

const pairColumns = [
  ['', ([, , subject]) => subject],
  ['figure', ([name]) => inWords(name)],
  ['value', ([name, value]) => (name.endsWith('Bytes') ? bytes(value) : number(value)), true]
]

export function showTables(snapshot) {
  const { methods, transports, errors, repositories, slowCalls, storeSteps, checks, destinations } = snapshot
  showTable('methods', 'Methods', { columns: methodColumns('method'), rows: methods, empty: 'no calls' })
  showTable('transports', 'Transports', { columns: transportColumns, rows: transports, empty: 'no calls' })
  showTable('errors', `Errors of the last ${Math.round(snapshot.windowMs / 1000)} s`, {
    columns: [
      ['code', (row) => row.code],
      ['reason', (row) => row.reason],
      ['count', (row) => number(row.count), true]
    ],
    rows: errors,
    empty: 'none'
  })
  showTable('repositories', 'Repositories by load', {
    columns: [
      ['repository', (row) => row.repository],
      ['calls a second', (row) => number(row.callsPerSecond), true]
    ],
    rows: repositories,
    empty: 'no calls'
  })
  showTable('slow', 'Slow calls', { columns: slowColumns, rows: slowCalls, empty: 'none' })
  showTable('destinations', 'Webhooks', { columns: destinationColumns, rows: destinations, empty: 'no destinations' })
  const queues = ['queues', 'memory', 'uploads'].flatMap((subject) => pairs(subject, snapshot[subject]))
  showTable('queues', 'Queues, memory and uploads', { columns: pairColumns, rows: queues, empty: 'none' })
  showTable('store', 'Store', {
    columns: methodColumns('step'),
    rows: storeSteps,
    empty: 'this store measures nothing'
  })
  showTable('checks', 'Readiness', {
    columns: [
      ['check', (row) => row.name],
      ['state', (row) => (row.ok ? ['ok', 'good'] : ['failing', 'bad'])],
      ['', (row) => row.detail]
    ],
    rows: checks,
    empty: 'no checks yet'
  })
}
