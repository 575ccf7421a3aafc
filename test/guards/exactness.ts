/** Guards of exactness: keys that are remembered, what an older or damaged peer or disk may not do to them. */
import type { Guard } from './guard.ts'

const journal = ['test/store/request-journal.test.ts']
const segments = 'server-fixture/store/git/journal-segments.ts'

const contention = ['test/store/contention.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a ref that is already where it was to go is a mismatch',
    file: 'server-fixture/store/git/ref-mover.ts',
    from: 'call.result.resolve(mismatches)',
    to: 'call.result.resolve(mismatches.filter(({ foundOid }) => foundOid !== call.moves[0]?.newOid))',
    tests: contention,
    mayHang: true
  },
  {
    name: 'a write whose key is remembered is answered, and not carried out',
    file: 'server-fixture/service/request-keys.ts',
    from: 'if (first !== undefined) return first',
    to: 'if (first === null) return first',
    tests: contention,
    mayHang: true
  },
  {
    name: 'a server that is too old for request keys is told of',
    file: 'src/batch/older-server.ts',
    from: "return isOfServer && error.sent === 'processed' ?",
    to: "return isOfServer && error.sent === 'never' ?",
    tests: ['test/client/older-server.test.ts']
  },
  {
    name: 'an operation that an older server does not find is told of',
    file: 'src/batch/older-server.ts',
    from: "return error.code === 'invalid_argument' && isUnknown ?",
    to: "return error.code === 'internal' && isUnknown ?",
    tests: ['test/client/older-server.test.ts']
  },
  {
    name: 'a long list of changes is the same under its key, whatever head its process read',
    file: 'server-fixture/service/request-digest.ts',
    from: "if (inputDigest !== '') return",
    to: "if (inputDigest === '-') return",
    tests: ['test/client/long-lists.test.ts']
  },
  {
    name: 'a data directory of a later format is refused',
    file: 'server-fixture/store/git/data-format.ts',
    from: 'if (format === currentFormat) return',
    to: 'if (format !== 0) return',
    tests: ['test/store/data-directory.test.ts']
  },
  {
    name: 'a data directory that cannot be used has an exit code of its own',
    file: 'server-fixture/failed-start.ts',
    from: 'known ? 2 : isLasting ? 3 : 1',
    to: 'known ? 2 : 1',
    tests: ['test/server/process.test.ts']
  },
  {
    name: 'a key whose record is damaged is not carried out again',
    file: segments,
    from: 'if (record === undefined) throw damaged(segment.number, offset)',
    to: 'if (record === undefined) return undefined',
    tests: journal
  },
  {
    name: 'a whole record without sense is damage',
    file: 'server-fixture/store/git/journal-record.ts',
    from: 'throw damaged(number, segment.size, cause)',
    to: 'void cause',
    tests: journal
  },
  {
    name: 'damage before the end of the journal is told',
    file: segments,
    from: 'if (number !== Math.max(...numbers)) throw damaged(number, segment.size)',
    to: '',
    tests: journal
  },
  {
    name: 'a socket whose FIN is on its way is not reset at once',
    file: 'tcp-proxy/direction.ts',
    from: 'if (isShutting && !socket.connecting) socket.once(',
    to: 'if (isShutting && socket.connecting) socket.once(',
    tests: ['test/support/tcp-proxy.test.ts'],
    mayHang: true
  }
]
