/** The processes behind Git's clients: how many there are, and how they end. */
import assert from 'node:assert/strict'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import type { GitRequest } from '../../server-fixture/git-http/git-request.ts'
import { ProcessSlots } from '../../server-fixture/git-http/process-slots.ts'
import { answerWith } from '../../server-fixture/git-http/service-answer.ts'
import { ServiceProcess } from '../../server-fixture/git-http/service-process.ts'
import { SharedAnswers } from '../../server-fixture/git-http/shared-answers.ts'
import { TemporaryCache } from '../../server-fixture/git-http/temporary-cache.ts'
import { MemoryBudget } from '../../server-fixture/memory-budget.ts'
import { Transfer } from '../../server-fixture/transfers/transfer.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { temporaryDirectory } from '../store/support.ts'
import { atEnd, testServer } from '../support/server.ts'
import { later, until } from '../support/until.ts'

test('slots are given in the order of the requests, and to no more than may wait', async () => {
  const slots = new ProcessSlots({ max: 1, maxWaiting: 2, maxWaitMs: 60_000 })
  const { release } = await slots.acquire()
  const order: string[] = []
  const leaving = new AbortController()
  const left = slots.acquire(leaving.signal)
  const second = slots.acquire().then(({ release: give }) => {
    order.push('second')
    give()
    give()
  })
  await assert.rejects(
    slots.acquire(),
    ({ code, details }: BlobwireError) => code === 'unavailable' && details.retryAfterMs === 5_000
  )
  leaving.abort(new Error('gone'))
  await assert.rejects(left, /gone/)
  const third = slots.acquire().then(() => order.push('third'))
  release()
  await Promise.all([second, third])
  assert.deepEqual(order, ['second', 'third'])
  // The one that the third has is all there is.
  await assert.rejects(slots.acquire(AbortSignal.abort(new Error('full'))), /full/)
  const short = new ProcessSlots({ max: 1, maxWaiting: 1, maxWaitMs: 1 })
  await short.acquire()
  await assert.rejects(short.acquire(), { code: 'unavailable' })
  // One that is held for long passes on.
  const passing = new ProcessSlots({ max: 1, maxWaiting: 1, maxWaitMs: 60_000, maxHoldMs: 1 })
  await passing.acquire()
  await passing.acquire()
})

test('requests that come together are told refs by one process, which starts after them', async () => {
  const slots = new ProcessSlots({ max: 1, maxWaiting: 9, maxWaitMs: 60_000 })
  const shared = new SharedAnswers(slots)
  let starts = 0
  const source = (script: string, stamp?: string) => {
    const start = () => {
      starts++
      return shell(script)()
    }
    return { start, timeoutMs: 60_000, directory: '/data/a.git', stamp }
  }
  const say = async (key: string, script: string, stamp?: string) =>
    (await shared.get(key, source(script, stamp)))?.toString()
  const slot = await slots.acquire()
  const together = ['a', 'a', 'b'].map((key) => say(key, `echo ${key}`))
  slot.release()
  assert.deepEqual(await Promise.all(together), ['a\n', 'a\n', 'b\n'])
  assert.equal(starts, 2)
  // Refs of later requests are later ones.
  assert.deepEqual([await say('a', 'echo c'), starts], ['c\n', 3])
  const kept = [await say('a', 'echo d', '1'), await say('a', 'echo e', '1'), await say('a', 'echo f', '2')]
  assert.deepEqual([kept, starts], [['d\n', 'd\n', 'f\n'], 5])
  const long = 'head -c 300000 /dev/zero'
  assert.deepEqual([await say('long', long), await say('long', long), starts], [undefined, undefined, 6])
  await assert.rejects(say('bad', 'echo why /data/a.git >&2; exit 3'), /status 3: why$/)
  // A slot is free again after each of them.
  await slots.acquire()
})

test('a process that waits for its client gives its place to another one, as long as not too many wait', async () => {
  const slots = new ProcessSlots({ max: 1, maxWaiting: 9, maxWaitMs: 60_000 })
  const parked = []
  for (let index = 0; index < 5; index++) {
    const slot = await slots.acquire()
    slot.park()
    slot.park()
    parked.push(slot)
  }
  // Four wait for their clients, and the fifth has kept its place.
  const next = slots.acquire()
  parked[0]?.release()
  parked[0]?.release()
  parked[4]?.park()
  const { release } = await next
  release()
  for (const slot of parked.slice(1)) slot.release()
  for (const isFree of [true, false]) {
    const slot = slots.acquire(isFree ? undefined : AbortSignal.abort(new Error('full')))
    if (isFree) await slot
    else await assert.rejects(slot, /full/)
  }
})

const isRunning = async (pid: number) => {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ') X')
  return !/\) [XZ]/.test(stat)
}

function transferOf(): Transfer {
  const budget = new MemoryBudget(defaultLimits).of({})
  const bounds = { budget, chunkBytes: 1, idleMs: 60_000, draining: new AbortController().signal, drainMs: 1 }
  return new Transfer({ ...bounds, record: { transferred: () => undefined } })
}

const shell = (script: string) => () => new ServiceProcess({ program: 'sh' }, ['-c', script])

test('a client that goes takes the process with it, and all that it has started; such processes come after calls', async () => {
  const pids: number[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pids.push(...chunk.toString().trim().split(' ').map(Number))
      done()
    }
  })
  const transfer = transferOf()
  const failures: unknown[] = []
  const exchange = { stream: () => stream, record: { failed: (error: unknown) => failures.push(error) } }
  const request = { exchange, transfer, requestId: '', git: { timeoutMs: 60_000 } } as unknown as GitRequest
  const answered = answerWith(request, shell('read all; sleep 1000 & echo $$ $!; wait'), {
    contentType: 'x',
    directory: '/data/a.git'
  })
  await until(() => pids.length === 2, 'two processes run')
  assert.equal(getPriority(pids[0]), 10)
  assert.equal(getPriority(pids[1]), 10)
  stream.destroy()
  await answered
  while ((await Promise.all(pids.map(isRunning))).includes(true)) await later(2)
  assert.equal((failures[0] as BlobwireError).code, 'cancelled')
  transfer.end()
})

test('a process is read no faster than its client reads, and has its time', async () => {
  let bytes = 0
  const stream = new Writable({
    write(chunk: Buffer) {
      bytes += chunk.length
    }
  })
  const transfer = transferOf()
  const failures: unknown[] = []
  const exchange = { stream: () => stream, record: { failed: (error: unknown) => failures.push(error) } }
  const git = { timeoutMs: 300 }
  const request = { exchange, transfer, requestId: '', git } as unknown as GitRequest
  let slow = 0
  const onSlow = () => slow++
  await answerWith(request, shell('yes'), { contentType: 'x', directory: '/data/a.git', onSlow, slowMs: 1 })
  assert.equal(slow, 1)
  assert.equal((failures[0] as BlobwireError).code, 'deadline_exceeded')
  assert.ok(stream.destroyed)
  assert.ok(
    transfer.sentBytes > 2 ** 20 && transfer.sentBytes < 2 * 2 ** 20,
    `${transfer.sentBytes} bytes, ${bytes} taken`
  )
  transfer.end()
})

test('a process that fails is an error, and no answer that could be taken for whole', async () => {
  const transfer = transferOf()
  const failures: unknown[] = []
  const stream = new PassThrough()
  stream.resume()
  const exchange = { stream: () => stream, record: { failed: (error: unknown) => failures.push(error) } }
  const cut = transferOf()
  const told = { exchange, transfer: cut, requestId: '', git: { timeoutMs: 60_000 } } as unknown as GitRequest
  await answerWith(told, shell('echo part; exit 3'), { contentType: 'x', directory: '/data/a.git' })
  assert.deepEqual([failures.length, stream.destroyed, stream.writableEnded], [1, true, false])
  cut.end()
  const whole = new PassThrough()
  whole.resume()
  const refused = { ...told, transfer, exchange: { ...exchange, stream: () => whole } } as unknown as GitRequest
  await answerWith(refused, shell("printf '000bERR why'; exit 128"), { contentType: 'x', directory: '/data/a.git' })
  assert.deepEqual([(failures[1] as BlobwireError).message, whole.writableFinished], ['why', true])
  const request = { transfer, git: { timeoutMs: 60_000 } } as unknown as GitRequest
  const answer = { contentType: 'x', directory: '/data/a.git' }
  await assert.rejects(answerWith(request, shell('echo why /data/a.git >&2; exit 3'), answer), /status 3: why$/)
  const gone = shell('echo "fatal: \'/data/a.git\' does not appear to be a git repository" >&2; exit 128')
  await assert.rejects(answerWith(request, gone, answer), { code: 'unavailable' })
  const missing = () => new ServiceProcess({ program: '/nowhere/git' }, [])
  await assert.rejects(answerWith(request, missing, answer), { reason: 'git_unavailable' })
  transfer.end()
})

test('the temporary directory of a server that was killed is removed by the next one, and no other', async (context) => {
  const parent = await temporaryDirectory(context)
  const living = await TemporaryCache.make(parent)
  const killed = join(parent, 'blobwire-git-killed')
  const beginning = join(parent, 'blobwire-git-beginning')
  for (const path of [killed, beginning]) await mkdir(path)
  // No process has this id (proc(5), pid_max).
  await writeFile(join(killed, 'server.lock'), JSON.stringify({ pid: 2 ** 22 + 1, started: '1', instance: '' }))
  const next = await TemporaryCache.make(parent)
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false
    )
  const found = await Promise.all([living.path, killed, beginning, next.path].map(isThere))
  assert.deepEqual(found, [true, false, true, true])
  for (const cache of [living, next]) await cache.remove()
  assert.equal(await isThere(living.path), false)
})

test('the metrics tell of the processes that run, and of the requests that wait for one', async (context) => {
  const { server, client } = atEnd(context, await testServer({ maxGitProcesses: 1 }))
  await client().createRepository('demo')
  const headers = { 'content-type': 'application/x-git-receive-pack-request', 'transfer-encoding': 'chunked' }
  const pushes = [1, 2].map(() => {
    const push = httpRequest(`${server.http}/demo.git/git-receive-pack`, { method: 'POST', headers })
    push.once('error', () => undefined).flushHeaders()
    return push
  })
  const tells = async (processes: number, waiting: number) => {
    const text = await (await fetch(`${server.http}/metrics`)).text()
    return text.includes(`_git_processes ${processes}\n`) && text.includes(`_git_waiting_requests ${waiting}\n`)
  }
  while (!(await tells(1, 1))) await later(2)
  for (const push of pushes) push.destroy()
  while (!(await tells(0, 0))) await later(2)
})
