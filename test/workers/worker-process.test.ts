/** Workers that hang, and those that cannot be started. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Crew } from '../../server-fixture/workers/crew.ts'
import { WorkerProcess } from '../../server-fixture/workers/worker-process.ts'

/** A worker, and what the primary hears of it. */
function start() {
  const heard: string[] = []
  const told = new EventTarget()
  const hear = (name: string) => () => {
    heard.push(name)
    told.dispatchEvent(new Event(name))
  }
  const worker = new WorkerProcess({
    args: [],
    program: fileURLToPath(new URL('./hanging-worker.ts', import.meta.url)),
    start: { kind: 'start', place: 0, ports: { http: 1, grpc: 2 } },
    events: {
      onReady: hear('ready'),
      onDraining: hear('draining'),
      onLast: hear('last'),
      onReturned: hear('returned'),
      onWatch: hear('watch'),
      onSilent: hear('silent'),
      onQuestion: () => assert.fail('a question'),
      onEnd: (code, signal) => hear(`end ${code} ${signal}`)()
    }
  })
  return { worker, heard, next: (name: string) => once(told, name) }
}

test('a worker that says nothing for 15 looks is killed; one that is starting is not', async (context) => {
  const { worker, heard, next } = start()
  context.after(() => worker.child.kill('SIGKILL'))
  const look = (times: number) => {
    for (let count = 0; count < times; count++) worker.look()
  }
  look(100)
  await next('ready')
  look(15)
  const isAnswered = next('watch')
  worker.watch(true)
  await isAnswered
  look(15)
  assert.deepEqual(heard, ['ready', 'watch'])
  const ended = next('end null SIGKILL')
  look(2)
  await ended
  assert.deepEqual(heard, ['ready', 'watch', 'silent', 'end null SIGKILL'])
})

test('the primary looks at all of its workers', () => {
  const crew = new Crew({
    count: 1,
    args: [],
    ports: { http: 1, grpc: 2 },
    output: {} as never,
    log: () => undefined,
    own: () => ({}) as never
  })
  let looks = 0
  crew.workers.add({ look: () => looks++, ask: async () => undefined } as never)
  crew.look()
  crew.workers.clear()
  assert.equal(looks, 1)
})

test('a worker that cannot be started has ended', async (context) => {
  const { execPath } = process
  context.after(() => {
    process.execPath = execPath
  })
  process.execPath = '/no/such/program'
  const { next, heard } = start()
  process.execPath = execPath
  await next('end null null')
  assert.deepEqual(heard, ['end null null'])
})
