/** The server as a process: flags, one line on stdout when it is ready, a log on stderr, SIGTERM drains. */
import { failedStart } from './failed-start.ts'
import { usage } from './flags/usage.ts'
import { readOptions } from './options.ts'
import { serve } from './serve.ts'

const args = process.argv.slice(2)
try {
  const options = await readOptions(args)
  if (options === undefined) process.stdout.write(`${usage('npm run server --')}\n`)
  else await serve(options, args)
} catch (error) {
  process.exitCode = failedStart(error, 'npm run server --')
}
