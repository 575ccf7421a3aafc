/** Guards of the process's end: not before a call has settled, and soon after the last one. */
import type { Guard } from './guard.ts'

const tests = ['test/faults/leaving.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'calls hold the process',
    file: 'src/call/bulkhead.ts',
    from: 'if (this.#running++ === 0) this.#work.beginWork()',
    to: 'this.#running++',
    tests
  },
  {
    name: 'calls that have ended hold the process no longer',
    file: 'src/call/bulkhead.ts',
    from: 'if (--this.#running === 0) this.#work.endWork()',
    to: 'this.#running--',
    tests,
    mayHang: true
  },
  {
    name: 'calls in an interceptor hold the process',
    file: 'src/client/interception.ts',
    from: '    this.#interception.work.beginWork()\n',
    to: '',
    tests
  },
  {
    name: 'a batch between two attempts holds the process',
    file: 'src/client/call-invoker.ts',
    from: '    processHold.beginWork()\n    await new Promise',
    to: '    await new Promise',
    tests
  },
  {
    name: 'a session without calls does not hold the process',
    file: 'src/connection/unheld.ts',
    from: '  socket.ref = () => socket\n',
    to: '',
    tests,
    mayHang: true
  },
  {
    name: 'a session that waits for its gRPC connection does not hold the process',
    file: 'src/connection/grpc/connection.ts',
    from: 'internalChannel.callRefTimerRef = () => undefined',
    to: '{}',
    tests,
    mayHang: true
  },
  {
    name: 'what nobody waits for is abandoned where it holds the process',
    file: 'src/platform/process-hold.ts',
    from: 'for (const each of pending) each.abandon()',
    to: '{}',
    tests,
    mayHang: true
  },
  {
    name: 'a socket whose peer does not read is abandoned',
    file: 'src/connection/unheld.ts',
    from: 'socket.connecting || isBlocked()',
    to: 'socket.connecting',
    tests,
    mayHang: true
  }
]
