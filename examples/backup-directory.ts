/** `npm run backup -- DIRECTORY --endpoint URL --repository NAME`: a local directory as a commit on a branch. */
import { createClient } from '../src/index.ts'
import { type BackupResult, backup } from './backup/backup.ts'
import type { LocalTree } from './backup/local-tree.ts'
import { type BackupCommand, readCommand, usage } from './backup/options.ts'
import { ResumeFile } from './backup/resume-file.ts'
import { clientOptions, interrupted, interruption, runProgram, say } from './shared/command-line.ts'
import { megabytes, nowhere, progressDisplay, transferView } from './shared/progress-display.ts'

function sayLeftOut({ leftOut, emptyDirectories }: LocalTree): void {
  if (leftOut.length > 0) say(`entries that no repository can have, and are left out (${leftOut.length}):`)
  for (const line of leftOut) say(`  ${line}`)
  if (emptyDirectories > 0) say(`empty directories are not kept (${emptyDirectories})`)
}

function sayResult({ commit, files, bytes, changed, removed }: BackupResult, branch: string): void {
  const all = `${files} files (${megabytes(bytes)})`
  if (commit === undefined) say(`${branch} is equal to the directory: ${all}`)
  else say(`${branch} is at ${commit}: ${all}, ${changed} new or changed, ${removed} removed`)
}

async function run(command: BackupCommand): Promise<number> {
  const { directory, branch, exclude, message, author, resumeFile } = command
  const signal = interruption()
  const display = progressDisplay(command.quiet ? nowhere : process.stderr, transferView)
  const client = createClient(clientOptions(command))
  try {
    const { limits } = await client.getCapabilities({ signal })
    let isWhole = true
    const result = await backup({
      directory,
      repo: client.repository(command.repository),
      branch,
      exclude,
      message: `${message}\n`,
      author,
      limits,
      tokens: new ResumeFile(resumeFile, command.repository),
      signal,
      onTree: (tree) => {
        sayLeftOut(tree)
        isWhole = tree.leftOut.length === 0
      },
      onProgress: display.show
    })
    display.end()
    sayResult(result, branch)
    return isWhole ? 0 : 3
  } catch (error) {
    display.end()
    if (!signal.aborted) throw error
    say('interrupted; the same command goes on')
    return interrupted
  } finally {
    await client.close()
  }
}

await runProgram(usage, async () => {
  const command = readCommand(process.argv.slice(2), process.env)
  if (command !== undefined) return run(command)
  say(usage)
  return 0
})
