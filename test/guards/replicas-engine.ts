/** Guards of the embedded engine: it ends with those who need it, and not before. */
import type { Guard } from './guard.ts'

const directory = 'server-fixture/store/postgres/embedded'
const tests = ['test/store/postgres/embedded.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'an engine ends with the process that started it',
    file: `${directory}/engine.ts`,
    from: 'const guard = endWithProcess(child, own)',
    to: 'const guard = undefined as ReturnType<typeof endWithProcess>',
    tests
  },
  {
    name: 'the data of an engine that was killed go with the process that started it',
    file: `${directory}/engine.ts`,
    from: "void guard?.stdin?.write('ended\\n')",
    to: "void guard?.kill('SIGKILL')",
    tests
  },
  {
    name: 'a server ends with the process that started it',
    file: 'server-fixture/end-with-parent.ts',
    from: "stdin.once('close', () => process.exit(1))",
    to: '',
    tests: ['test/server/process.test.ts']
  },
  {
    name: 'an engine that is killed is started again',
    file: `${directory}/keeper.ts`,
    from: '    if (!isEnding) engine = await startLocked(binaries, port)',
    to: '    engine = undefined',
    tests
  },
  {
    name: 'the engine ends with the last server',
    file: `${directory}/keeper.ts`,
    from: 'if (servers.delete(socket) && servers.size === 0) timer',
    to: 'if (servers.delete(socket) && servers.size < 0) timer',
    tests,
    mayHang: true
  },
  {
    name: 'servers start another keeper for one that was killed',
    file: `${directory}/join-engine.ts`,
    from: '      if (hasLeft) return\n',
    to: '      return\n',
    tests
  },
  {
    name: 'a copy of the programs has the links of its libraries',
    file: `${directory}/binaries.ts`,
    from: '  await linkLibraries(making)\n',
    to: '',
    tests
  },
  {
    name: 'commits wait for a synchronous standby',
    file: 'server-fixture/store/postgres/database/session.ts',
    from: "ELSE 'on' END",
    to: "ELSE 'local' END",
    tests: ['test/store/postgres/failover.test.ts']
  },
  {
    name: 'a server that waits for its database keeps running',
    file: 'server-fixture/store/postgres/database/back-off.ts',
    from: '  const processHold = setInterval(() => undefined, 2 ** 30)',
    to: '  const processHold = undefined',
    tests: ['test/store/postgres/killed.test.ts']
  }
]
