/** Guards of the service: rights of callers, and the keys under which writes are remembered. */
import type { Guard } from './guard.ts'

const server = 'server-fixture/service'
const keys = 'test/server/request-keys.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'objects that trees, commits and edits name have the right kind',
    file: `${server}/references.ts`,
    from: 'if (found !== kind)',
    to: 'if (false)',
    tests: ['test/server/edits.test.ts']
  },
  {
    name: 'a keyed operation that was cancelled while its objects were stored moves no ref',
    file: `${server}/workspace.ts`,
    from: '      remembered?.throwIfAbandoned?.()\n',
    to: '',
    tests: ['test/server/abandoned.test.ts', 'test/faults/request-keys.test.ts']
  },
  {
    name: 'the rights are looked at before the key',
    file: `${server}/service.ts`,
    from: '    else authorizeChange(context, repository)\n',
    to: '    else checkName(repository)\n',
    tests: ['test/server/access.test.ts', keys]
  },
  {
    name: 'a remembered outcome is the answer',
    file: `${server}/request-keys.ts`,
    from: '      if (first !== undefined) return first\n',
    to: '      if (first !== undefined) return {}\n',
    tests: [keys, 'test/faults/request-keys.test.ts']
  },
  {
    name: 'another request under the same key is refused',
    file: `${server}/request-keys.ts`,
    from: 'if (remembered.digest !== digest) throw reused(key)',
    to: '',
    tests: [keys, 'test/faults/request-keys.test.ts']
  },
  {
    name: 'another request under the key of a running one is refused',
    file: `${server}/request-keys.ts`,
    from: 'if (other.digest !== write.digest) throw reused(write.key)',
    to: '',
    tests: [keys],
    mayHang: true
  },
  {
    name: 'attempts of one write wait for each other',
    file: `${server}/request-keys.ts`,
    from: 'if (other === undefined) break',
    to: 'break',
    tests: [keys, 'test/faults/request-keys.test.ts']
  },
  {
    name: 'an abandoned attempt is not begun',
    file: `${server}/request-keys.ts`,
    from: '      write.throwIfAbandoned?.()\n',
    to: '',
    tests: [keys, 'test/faults/request-keys.test.ts']
  },
  {
    name: 'a refusal by the state of the repository is remembered',
    file: `${server}/request-keys.ts`,
    from: 'if (error instanceof BlobwireError && isStateRefusal(error))',
    to: 'if (false)',
    tests: [keys, 'test/faults/request-keys.test.ts']
  },
  {
    name: 'a key has the form of one',
    file: `${server}/request-keys.ts`,
    from: '    checkKey(write.key)\n',
    to: '',
    tests: [keys]
  },
  {
    name: 'the digest of a commit names its contents',
    file: `${server}/request-digest.ts`,
    from: "const put = content === undefined ? (oid ?? null) : hashObject('blob', content, format)",
    to: 'const put = content === undefined ? (oid ?? null) : 1',
    tests: [keys]
  },
  {
    name: 'the digest of a commit names its expected head',
    file: `${server}/request-digest.ts`,
    from: 'return [branchRef(branch), expectedHead, sorted',
    to: "return [branchRef(branch), '', sorted",
    tests: [keys]
  },
  {
    name: 'each operation of a batch needs its right',
    file: `${server}/batch.ts`,
    from: '      this.#context.authorize(step.name)\n',
    to: '',
    tests: ['test/server/access.test.ts', 'test/server/session-clients.test.ts']
  },
  {
    name: 'a repository of others looks like a missing one',
    file: `${server}/repositories.ts`,
    from: "if (!principal.may('read', repository)) throw unknown(repository)",
    to: '',
    tests: ['test/server/access.test.ts']
  },
  {
    name: 'listings name readable repositories alone',
    file: `${server}/repositories.ts`,
    from: "const isReadable = context.principal.may('read', info.repository)",
    to: 'const isReadable = true',
    tests: ['test/server/access.test.ts']
  },
  {
    name: 'an expired token is refused',
    file: 'server-fixture/auth.ts',
    from: 'if (expires !== undefined && Date.parse(expires) <= Date.now())',
    to: 'if (false)',
    tests: ['test/server/access.test.ts', 'test/server/session-clients.test.ts']
  },
  {
    name: 'a token that reads does not write',
    file: 'server-fixture/auth.ts',
    from: "(grant.access === 'write' || grant.access === access) &&",
    to: '',
    tests: ['test/server/access.test.ts']
  }
]
