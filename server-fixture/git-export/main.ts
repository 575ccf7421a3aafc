/** Export and import as a process: `npm run export`, `npm run import`. Exits with 0 = done, 1 = failed, 2 = wrong usage. */
import { UsageError } from '../usage-error.ts'
import { exportUsage, runExport } from './export-command.ts'
import { importUsage, runImport } from './import-command.ts'

const commands: Readonly<Record<string, { usage: string; run: typeof runExport }>> = {
  export: { usage: exportUsage, run: runExport },
  import: { usage: importUsage, run: runImport }
}

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
const say = (line: string) => process.stdout.write(`${line}\n`)
try {
  if (command === undefined)
    throw new UsageError(`unknown command ${JSON.stringify(name)}; expected one of ${Object.keys(commands).join(', ')}`)
  if (args.includes('--help')) say(command.usage)
  else await command.run(args, say)
} catch (error) {
  const known = error instanceof UsageError
  process.stderr.write(
    known ? `${error.message}\n\n${command?.usage ?? ''}\n` : `${name} failed: ${(error as Error).message}\n`
  )
  process.exitCode = known ? 2 : 1
}
