/**
 * `npm run soak:bombs -- [--megabytes N] [--rounds N]`: messages of a few bytes that would be millions of objects, against
 * a server with little memory and a client with a small heap, while other callers work. Ends with 1 where one of them
 * dies, a bomb is not refused as resource_exhausted and in time, or the others have to wait.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { startServerThrough } from '../server-fixture/process.ts'
import { createClient } from '../src/index.ts'
import { type Answer, startAnsweringServer } from '../test/support/answering-server.ts'
import {
  answerBomb,
  compressors,
  connectTo,
  errorBomb,
  type RequestBomb,
  requestBomb,
  send,
  ways,
  zerosBomb
} from '../test/support/bombs.ts'
import { type ClientCall, type ClientOutcome, serveClientCalls } from './bombs/client.ts'
import { memoryLimit, peakMegabytes } from './bombs/memory-limit.ts'
import { Others, quantile } from './bombs/others.ts'

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '5' },
    /** For the child process. */
    client: { type: 'boolean', default: false }
  }
})

const token = 'Sup3rS3cretT0ken'
const refusedWithinMs = 50
const othersWithinMs = 1000
const answeredWithinMs = 5000
const singles = 11
const atOnce = 20
const wrong: string[] = []

const median = (numbers: readonly number[]) => quantile(numbers, 0.5)
const exhausted = /resource_exhausted|"grpc-status":"?8\b/
const unauthenticated = /unauthenticated|"grpc-status":"?16\b/

/** Milliseconds of CPU that the process has used; Linux counts 100 ticks a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

interface Target {
  readonly http: string
  readonly grpc: string
  readonly pid: number
  readonly others: Others
}

/** The times until the refusals of so many at once. */
async function sendAll({ name, bomb, isStranger }: Attack, { http, grpc }: Target, count = 1): Promise<number[]> {
  const session = await connectTo(bomb.way.startsWith('grpc') ? grpc : http)
  const expected = isStranger ? unauthenticated : exhausted
  session.on('error', () => undefined)
  try {
    const each = Array.from({ length: count }, () => send(session, bomb, isStranger ? '' : token))
    const refusals = await Promise.all(each)
    for (const { text } of refusals) if (!expected.test(text)) wrong.push(`${name}: ${text.slice(0, 200)}`)
    return refusals.map(({ ms }) => ms)
  } finally {
    session.destroy()
  }
}

interface Attack {
  readonly name: string
  readonly bomb: RequestBomb
  readonly withinMs: number
  /** Sends no token. */
  readonly isStranger?: boolean
}

function attacks(): Attack[] {
  const quickly = { withinMs: refusedWithinMs }
  const each = ways.flatMap((way) => compressors.map((compressor) => ({ way, compressor })))
  const millions = each.map(({ way, compressor }) => ({
    name: `${way}, ${compressor}: 1,000,000 operations`,
    bomb: requestBomb(way, 1_000_000, compressor),
    ...quickly
  }))
  return [
    ...millions.map((bomb) => ({ ...bomb, name: `${bomb.name}, no token`, isStranger: true })),
    ...millions,
    // About as many as the codecs let pass: these become objects, and the service refuses them.
    ...ways.map((way) => ({ name: `${way}: 80,000 operations`, bomb: requestBomb(way, 80_000), withinMs: Infinity })),
    ...each.map(({ way, compressor }) => ({
      name: `${way}, ${compressor}: 64 MB of zeros`,
      bomb: zerosBomb(way, 64_000_000, compressor),
      ...quickly
    }))
  ]
}

/** Bombs one after the other, then many at once while the others work. A line of the table. */
async function attack(given: Attack, target: Target): Promise<string[]> {
  const { name, bomb, withinMs } = given
  const { others, pid } = target
  const times: number[] = []
  await sendAll(given, target)
  const cpuBefore = cpuMs(pid)
  for (let count = 0; count < singles; count++) times.push(...(await sendAll(given, target)))
  const cpu = (cpuMs(pid) - cpuBefore) / singles
  others.start()
  for (let round = 0; round < Number(values.rounds); round++) await sendAll(given, target, atOnce)
  const waited = await others.stop()
  const refusedMs = median(times)
  const p99 = quantile(waited, 0.99)
  // A busy machine makes every answer late; the server is to blame where the CPU was its own.
  if (Math.min(refusedMs, cpu) > withinMs)
    wrong.push(`${name}: refused after ${refusedMs.toFixed(0)} ms, ${cpu.toFixed(0)} of them of CPU`)
  if (p99 > othersWithinMs) wrong.push(`${name}: others waited ${p99.toFixed(0)} ms`)
  const peak = peakMegabytes(pid)
  return [name, String(bomb.body.length), ...[refusedMs, cpu, p99].map((ms) => ms.toFixed(1)), String(peak)]
}

async function attackServer(): Promise<void> {
  const limit = memoryLimit(Number(values.megabytes) * 2 ** 20)
  console.log(`server: ${limit.description}`)
  const server = await startServerThrough(limit.command, ['--token', token])
  const [http, grpc] = [server.http.origin, server.grpc.origin]
  const clients = (['json', 'msgpack', 'grpc'] as const).map((transport) =>
    createClient({ endpoint: transport === 'grpc' ? `grpc://${server.grpc.host}` : http, transport, token })
  )
  const table = new Table({ head: ['request', 'bytes', 'refused ms', 'CPU ms', "others' p99 ms", 'server MB'] })
  try {
    await clients[0]?.createRepository('demo')
    const target = { http, grpc, pid: server.pid, others: new Others(clients) }
    for (const each of attacks()) table.push(await attack(each, target))
    await Promise.all(clients.map((client) => client.getRepository('demo')))
  } catch (error) {
    wrong.push(`the server: ${(error as Error).message}`)
  }
  console.log(String(table))
  await Promise.all(clients.map((client) => client.close()))
  await server.stop().catch((error) => wrong.push(`the server died: ${error.message.slice(0, 500)}`))
  limit.remove()
}

/** Resolves to undefined when the client has died. */
function ask(child: ChildProcess, call: ClientCall): Promise<ClientOutcome | undefined> {
  return new Promise((resolve) => {
    const settle = (outcome: ClientOutcome | undefined) => {
      child.off('message', onMessage).off('exit', onExit)
      resolve(outcome)
    }
    const onMessage = (outcome: unknown) => settle(outcome as ClientOutcome)
    const onExit = () => settle(undefined)
    child.on('message', onMessage).on('exit', onExit)
    child.send(call)
  })
}

interface Answering {
  readonly name: string
  readonly answer: Answer
  readonly call: Omit<ClientCall, 'port'>
  /** Connect's unary errors that cannot be read are judged by their status. */
  readonly code: string
}

function answers(): Answering[] {
  const bombs = ways.map((way): Answering => {
    const [transport, kind] = way.split(' ') as [ClientCall['transport'], ClientCall['kind']]
    const count = transport === 'json' ? 5_000_000 : 8_000_000
    const name = `${way}: ${count / 1e6},000,000 results`
    return { name, answer: answerBomb(way, count), call: { transport, kind }, code: 'resource_exhausted' }
  })
  const errors = (['unary', 'session'] as const).map((kind): Answering => {
    const code = kind === 'unary' ? 'unknown' : 'resource_exhausted'
    return {
      name: `${kind} error: 5,000,000 details`,
      answer: errorBomb(kind, 5_000_000),
      call: { transport: 'msgpack', kind },
      code
    }
  })
  return [...bombs, ...errors]
}

async function attackClient(): Promise<void> {
  const heap = `--max-old-space-size=${values.megabytes}`
  console.log(`client: ${heap}`)
  const table = new Table({ head: ['answer', 'bytes', 'refused ms', 'stall ms', 'client MB'] })
  const server = await startAnsweringServer()
  const child = fork(import.meta.filename, ['--client'], { execArgv: [heap] })
  try {
    for (const { name, answer, call, code } of answers()) {
      server.answer = answer
      const outcomes: ClientOutcome[] = []
      for (let count = 0; count < 5; count++) {
        const outcome = await ask(child, { ...call, port: server.port })
        if (outcome === undefined) throw new Error(`${name}: the client died`)
        outcomes.push(outcome)
      }
      const [ms, stallMs] = [median(outcomes.map((each) => each.ms)), median(outcomes.map((each) => each.stallMs))]
      for (const found of outcomes) if (found.code !== code) wrong.push(`${name}: ${found.code} ${found.reason}`)
      if (outcomes.some((each) => each.ms > answeredWithinMs)) wrong.push(`${name}: later than its deadline`)
      if (stallMs > othersWithinMs) wrong.push(`${name}: the client did nothing else for ${stallMs.toFixed(0)} ms`)
      const peak = peakMegabytes(child.pid ?? 0)
      table.push([name, String(answer.body?.length), ms.toFixed(1), stallMs.toFixed(1), String(peak)])
    }
  } catch (error) {
    wrong.push((error as Error).message)
  }
  console.log(String(table))
  child.kill()
  await server[Symbol.asyncDispose]()
}

if (values.client) serveClientCalls()
else {
  console.log(`load of this machine: ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`)
  await attackServer()
  await attackClient()
  for (const line of wrong.slice(0, 20)) console.error(line)
  console.log(wrong.length === 0 ? 'all refused, nobody hurt' : `${wrong.length} wrong`)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
