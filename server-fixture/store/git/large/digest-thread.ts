/** The thread of `DigestThread`: it reads the packs of uploads as they grow. */
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { groupsOf } from './blob-layout.ts'
import type { DigestReply, DigestRequest } from './digest-queue.ts'
import { PackDigester } from './pack-digester.ts'

interface Job {
  readonly request: DigestRequest
  readonly digester: PackDigester
}

/** By the path of the pack. */
const jobs = new Map<string, Job>()
let isWorking = false

/** One step of each job after the other, so that all of them go on; messages are read in between. */
async function work(): Promise<void> {
  isWorking = true
  for (let isBusy = true; isBusy; ) {
    isBusy = false
    for (const [path, job] of jobs) {
      isBusy = step(path, job) || isBusy
      await turn()
    }
  }
  isWorking = false
}

function step(path: string, { request, digester }: Job): boolean {
  const { size } = request
  try {
    if (digester.step(size === undefined ? request.groups : groupsOf(size) - 1)) return true
    if (size === undefined) return false
    reply({ path, checksums: digester.finish(size) })
  } catch (error) {
    reply({ path, error: String((error as NodeJS.ErrnoException).code ?? error) })
  }
  drop(path)
  return false
}

function drop(path: string): void {
  jobs.get(path)?.digester.close()
  jobs.delete(path)
}

function take(request: DigestRequest): void {
  const { path } = request.pack
  if (request.isDropped) return drop(path)
  try {
    const digester = jobs.get(path)?.digester ?? new PackDigester(request.pack)
    jobs.set(path, { request, digester })
    if (!isWorking) void work()
  } catch (error) {
    reply({ path, error: String((error as NodeJS.ErrnoException).code ?? error) })
  }
}

const reply = (message: DigestReply) => parentPort?.postMessage(message)

parentPort?.on('message', take)
