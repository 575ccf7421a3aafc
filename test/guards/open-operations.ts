/** Guards of what operators see of Git's clients. */
import type { Guard } from './guard.ts'

const tracing = 'test/opentelemetry/tracing.test.ts'
const processes = 'test/git-http/processes.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'open: the span of a clone claims no call of the service',
    file: 'server-fixture/tracing/server-tracing.ts',
    from: 'const isRpc = rpcs.has(request.method)',
    to: 'const isRpc = true',
    tests: [tracing]
  },
  {
    name: 'open: the metrics tell of the git processes',
    file: 'server-fixture/server.ts',
    from: 'git: () => git.figures()',
    to: 'git: () => ({ processes: 0, waiting: 0 })',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'open: the metrics tell of the pushes that wait',
    file: 'server-fixture/git-http/git-remotes.ts',
    from: 'const all = [this.packs, this.exports, this.pushes, this.light]',
    to: 'const all = [this.packs, this.exports, this.light]',
    tests: [processes],
    mayHang: true
  }
]
