/** `npm run mirror -- SOURCE --endpoint URL --repository NAME`: copies a local Git repository to a server. */
import { join } from 'node:path'
import { createClient } from '../../src/index.ts'
import { clientOptions, runProgram, say } from '../shared/command-line.ts'
import { megabytes, nowhere, progressDisplay } from '../shared/progress-display.ts'
import { type MirrorResult, mirror } from './mirror.ts'
import { type MirrorCommand, readCommand, usage } from './options.ts'
import type { LeftOutRef, Plan } from './plan.ts'
import { mirrorView } from './progress-view.ts'
import { verify } from './verify.ts'

function sayLeftOut(leftOut: readonly LeftOutRef[]): void {
  if (leftOut.length === 0) return
  say(`refs that cannot be copied, and are left out (${leftOut.length}):`)
  for (const { name, reason } of leftOut) say(`  ${name}: ${reason}`)
}

/** Before anything is sent. */
function sayPlan({ large, leftOut }: Plan): void {
  if (large.length > 0) say(`objects that are too large for the server (${large.length}):`)
  for (const { oid, kind, size, path } of large) say(`  ${kind} ${oid} ${size} bytes ${path}`)
  sayLeftOut(leftOut)
}

function sayResult(result: MirrorResult, seconds: number): void {
  const { files, transferredBytes, refs, source } = result
  const rate = seconds > 0 ? `, ${Math.round(files / seconds)} objects/s` : ''
  say(`${files} objects (${megabytes(transferredBytes)}) sent, ${refs} refs updated in ${seconds.toFixed(1)} s${rate}`)
  if ('oid' in source.head) say(`HEAD of the source is detached at ${source.head.oid}; a server's HEAD names a branch`)
}

async function run(command: MirrorCommand): Promise<number> {
  const { repository, data } = command
  const client = createClient(clientOptions(command))
  const display = progressDisplay(command.quiet ? nowhere : process.stderr, mirrorView)
  try {
    const repo = client.repository(repository)
    const { limits } = await client.getCapabilities()
    const start = performance.now()
    let planned: readonly LeftOutRef[] = []
    const onPlan = (plan: Plan) => {
      sayPlan(plan)
      planned = plan.leftOut
    }
    const { source, prune, strict } = command
    const result = await mirror({ source, repo, limits, prune, strict, onPlan, onProgress: display.show })
    display.end()
    sayLeftOut(result.leftOut.slice(planned.length))
    const isRefused = strict && planned.length > 0
    if (isRefused) say('nothing was sent (--strict)')
    else sayResult(result, (performance.now() - start) / 1000)
    const storeDirectory = data && join(data, `${repository}.git`)
    const found = command.verify && !isRefused ? await verify({ ...result, repo, storeDirectory }) : []
    for (const line of found) say(`DIFFERENT: ${line}`)
    if (found.length > 0) return 1
    if (command.verify && !isRefused) {
      const checked = storeDirectory ? ', and git fsck --strict finds nothing new' : ''
      say(`equal${result.leftOut.length > 0 ? ', but for the refs that are left out' : ''}: refs and HEAD${checked}`)
    }
    return result.leftOut.length > 0 ? 3 : 0
  } finally {
    display.end()
    await client.close()
  }
}

await runProgram(usage, async () => {
  const command = readCommand(process.argv.slice(2), process.env)
  if (command !== undefined) return run(command)
  say(usage)
  return 0
})
