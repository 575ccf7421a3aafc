/** A Git store that counts the git processes that it starts. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { repository } from './services.ts'

/** It is gone when the test has ended; `started` = how often this git command was started. */
export async function openCounting(context: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-counting-'))
  const log = join(data, 'calls')
  const program = join(data, 'git')
  await writeFile(program, `#!/bin/sh\necho "$1" >> ${log}\nexec git "$@"\n`)
  await chmod(program, 0o755)
  const store = await GitStore.open(join(data, 'store'), { program })
  context.after(async () => {
    await store.close()
    await rm(data, { recursive: true, force: true })
  })
  const started = async (command: string) =>
    (await readFile(log, 'utf8')).split('\n').filter((name) => name === command).length
  return { store, started, gitDir: join(data, 'store', `${repository}.git`) }
}
