/** Guards of the command `blobwire`: what terminals get, credentials, interruptions and exit codes. */
import type { Guard } from './guard.ts'

const terminal = ['test/cli/terminal.test.ts']
const commands = ['test/cli/commands.test.ts']
const firstUse = ['test/cli/first-use.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'cli: names from elsewhere are safe for a terminal',
    file: 'cli/output/output.ts',
    from: 'return this.isTerminal ? safeLine(text) : text',
    to: 'return text',
    tests: terminal
  },
  {
    name: 'cli: contents and errors are safe for a terminal',
    file: 'cli/output/output.ts',
    from: 'return this.isTerminal ? safeText(text) : text',
    to: 'return text',
    tests: terminal
  },
  {
    name: 'cli: JSON is safe for a terminal',
    file: 'cli/output/output.ts',
    from: 'this.line(this.isTerminal ? safeJson(json) : json)',
    to: 'this.line(json)',
    tests: terminal
  },
  {
    name: 'cli: characters that reverse text are control characters, too',
    file: 'cli/output/safe-text.ts',
    from: '[\\p{Cc}\\p{Cf}\\u2028\\u2029]',
    to: '[\\p{Cc}\\u2028\\u2029]',
    tests: terminal
  },
  {
    name: 'cli: NO_COLOR turns colours off',
    file: 'cli/output/output.ts',
    from: 'isTTY === true && !none &&',
    to: 'isTTY === true &&',
    tests: terminal
  },
  {
    name: 'cli: a reader that leaves is no error',
    file: 'cli/command-line.ts',
    from: "code === 'EPIPE' ? nobodyReads : ",
    to: '',
    tests: terminal
  },
  {
    name: 'cli: an interrupted command ends with the code of shells',
    file: 'cli/command-line.ts',
    from: '    if (io.signal.aborted) return signalCodes[io.signal.reason] ?? exitCodes.interrupted\n',
    to: '',
    tests: terminal
  },
  {
    name: 'cli: an interruption ends calls that take no signal',
    file: 'cli/connection/open-client.ts',
    from: "  signal.addEventListener('abort', end)\n",
    to: '',
    tests: terminal
  },
  {
    name: 'cli: --token says where a token comes from',
    file: 'cli/command-line.ts',
    from: 'if (message.includes("\'--token\'"))',
    to: 'if (false)',
    tests: terminal
  },
  {
    name: 'cli: errors are JSON with --json',
    file: 'cli/output/report-error.ts',
    from: 'if (options.json) {',
    to: 'if (options.json && exitCode < 0) {',
    tests: commands
  },
  {
    name: 'cli: a conflict has an exit code of its own',
    file: 'cli/errors.ts',
    from: 'aborted: exitCodes.conflict',
    to: 'aborted: exitCodes.failed',
    tests: terminal
  },
  {
    name: 'cli: paths in pipes are not changed',
    file: 'cli/commands/ls.ts',
    from: "flags.null ? '\\0' : entry.mode",
    to: 'entry.mode',
    tests: commands
  },
  {
    name: 'cli: several clients of a configuration are not guessed among',
    file: 'cli/connection/open-client.ts',
    from: 'if (others.length === 0) return only',
    to: 'if (others.length >= 0) return only',
    tests: terminal
  },
  {
    name: 'cli: the colons of an address do not count as arguments in bash',
    file: 'cli/completion/bash.ts',
    from: 'if [[ $word == : || $word == = ]]; then ((i++)); continue; fi',
    to: ':',
    tests: terminal
  },
  {
    name: 'serve: --token-file counts more than the environment',
    file: 'server-fixture/flags/grants.ts',
    from: "  if (file !== undefined) return readToken('--token-file', file)\n",
    to: '',
    tests: ['test/server/process.test.ts']
  },
  {
    name: 'import: the history of a work tree is no entry that is left out',
    file: 'cli/commands/import.ts',
    from: "hasHistory ? [...exclude, '/.git'] : exclude",
    to: 'exclude',
    tests: ['test/cli/import.test.ts']
  },
  {
    name: 'cli: an output that takes no more is told',
    file: 'cli/command-line.ts',
    from: '    await written(io.stdout, failed)\n',
    to: '',
    tests: firstUse
  },
  {
    name: 'cli: a reader may go when the command has ended',
    file: 'cli/command-line.ts',
    from: "  stream.on('error', (error",
    to: "  stream.once('error', () => {})\n  setImmediate(() => stream.removeAllListeners('error'))\n  stream.on('error', (error",
    tests: firstUse
  },
  {
    name: 'cli: put takes no closed standard input',
    file: 'cli/commands/put.ts',
    from: 'fstatSync(stdin.fd).isCharacterDevice()',
    to: 'false',
    tests: firstUse
  },
  {
    name: 'cli: a message names the flag that was given',
    file: 'cli/connection/open-client.ts',
    from: 'error.renamed((field) => nameOf(field, flags, env))',
    to: 'error',
    tests: firstUse
  },
  {
    name: 'serve: a port that is taken is told without lines of grpc-js',
    file: 'server-fixture/grpc/grpc-server.ts',
    from: "  await tryPort({ name: 'grpc', host, port })\n",
    to: '',
    tests: firstUse
  },
  {
    name: 'serve: the embedded database tells its reason in one sentence',
    file: 'server-fixture/store/postgres/embedded/keeper.ts',
    from: '  process.stderr.write(`${failure}',
    to: '  throw error\n  process.stderr.write(`${failure}',
    tests: ['test/store/postgres/embedded.test.ts']
  }
]
