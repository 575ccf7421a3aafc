/** Guards of the control of an open client: limits, time limits, priorities, breakers and idle connections. */
import type { Guard } from './guard.ts'

const control = ['test/client/runtime-control.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a time that equals that of the client bounds a read that becomes a download, too',
    file: 'src/client/large-reads.ts',
    from: 'timeoutMs: hasOwnTimeout ?',
    to: 'timeoutMs: hasOwnTimeout && call.timeoutMs !== client.options.timeoutMs ?',
    tests: ['test/large/large-reads.test.ts'],
    mayHang: true
  },
  {
    name: 'a breaker that is reset forgets how often it opened in a row',
    file: 'src/balance/circuit-breaker.ts',
    from: '  reset(): void {\n    this.#openingsInRow = 0\n',
    to: '  reset(): void {\n',
    tests: control
  },
  {
    name: 'a session that the server has ended does not keep its connection from being idle',
    file: 'src/transport/http/session.ts',
    from: '    this.#control?.over()\n',
    to: '',
    tests: control,
    mayHang: true
  },
  {
    name: 'closing idle connections ends no session with calls under way',
    file: 'src/batch/batcher.ts',
    from: 'if (this.isIdle) await this.#frames.end()',
    to: 'await this.#frames.end()',
    tests: control,
    mayHang: true
  }
]
