/** Guards of the service's writes: compare-and-swap, references, bounds, and effects that nobody waits for. */
import type { Guard } from './guard.ts'

const server = 'server-fixture/service'
const chain = 'test/server/commit-chain.test.ts'
const pathGuards = 'test/server/guards.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a ref that is not where it was expected stays',
    file: 'server-fixture/store/ref-rules.ts',
    from: 'return foundOid === expectedOid ? [] : [{ name, expectedOid, foundOid }]',
    to: 'return []',
    tests: ['test/store/contract.test.ts']
  },
  {
    name: 'no ref points to a missing object',
    file: 'server-fixture/store/ref-rules.ts',
    from: 'if (!info) missingOids.push(move.newOid)',
    to: 'if (!info) continue',
    tests: ['test/store/contract.test.ts']
  },
  {
    name: 'a branch points to a commit',
    file: 'server-fixture/store/ref-rules.ts',
    from: "else if (move.name.startsWith('refs/heads/') && info.kind !== 'commit') throw notACommit(move, info.kind)",
    to: '',
    tests: ['test/store/contract.test.ts']
  },
  {
    name: 'names that cannot stand beside each other are refused',
    file: 'server-fixture/store/ref-rules.ts',
    from: 'if (names.has(parent) && (created.has(name) || created.has(parent)))',
    to: 'if (false)',
    tests: ['test/store/contract.test.ts']
  },
  {
    name: 'the service looks for the targets of refs',
    file: `${server}/refs.ts`,
    from: '  if (workspace.atomic) await checkTargets(workspace, updates)\n',
    to: '',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'a ref is named once in a call',
    file: `${server}/refs.ts`,
    from: "if (names.has(name)) throw invalidArgument(`updates[${index}].name`, 'must not be repeated')",
    to: '',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'the expected head of a commit is the head',
    file: `${server}/commit-on-head.ts`,
    from: "if (expectedHead !== '' && checkOid('expectedHead', expectedHead, workspace.format) !== foundOid)",
    to: 'if (false)',
    tests: ['test/server/edits.test.ts', chain]
  },
  {
    name: 'the base tree of a commit is a tree',
    file: `${server}/commit-on-head.ts`,
    from: "    await checkKinds(workspace, [{ oid: baseTree, kind: 'tree' }])\n",
    to: '',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'a base tree is of an expected head',
    file: `${server}/commit-files.ts`,
    from: "else if (request.baseTree !== '') throw invalidArgument('baseTree', 'must be empty without an expectedHead')",
    to: '',
    tests: ['test/server/edits.test.ts', chain]
  },
  {
    name: 'the guards of paths are held against the head',
    file: `${server}/commit-changes.ts`,
    from: 'if (mismatches.length > 0) throw pathMismatch(mismatches)',
    to: '',
    tests: [pathGuards]
  },
  {
    name: 'the contents in a commit are bounded',
    file: `${server}/commit-changes.ts`,
    from: 'if (content.length > maxInlineBytes)',
    to: 'if (false)',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'a stored blob is bounded',
    file: `${server}/blobs.ts`,
    from: 'if (content.length > maxInlineBytes)',
    to: 'if (false)',
    tests: ['test/server/batch.test.ts', 'test/server/grpc-server.test.ts']
  },
  {
    name: 'a path is changed once in a commit',
    file: `${server}/commit-changes.ts`,
    from: 'if (paths.has(path))',
    to: 'if (false)',
    tests: [pathGuards, 'test/server/edits.test.ts']
  },
  {
    name: 'content is that of a file',
    file: `${server}/commit-changes.ts`,
    from: "if (mode === '040000' || mode === '160000')",
    to: 'if (false)',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'objects that trees, commits and edits name are there',
    file: `${server}/references.ts`,
    from: 'if (missing.length > 0) throw missingObjects([...new Set(missing)])',
    to: '',
    tests: ['test/server/edits.test.ts']
  },
  {
    name: 'a commit that nobody waits for any more is left out of its chain',
    file: `${server}/commit-chain.ts`,
    from: 'while (this.#dropAbandoned().length > 0)',
    to: 'while (this.#commits.length > 0)',
    tests: [chain],
    mayHang: true
  },
  {
    name: 'a chain looks for abandoned commits again before the branch moves',
    file: `${server}/commit-chain.ts`,
    from: 'if (this.#commits.some((commit) => abandonment(commit) !== undefined)) throw new Abandoned()',
    to: '',
    tests: [chain]
  },
  {
    name: 'a chain that lost its race is made again',
    file: `${server}/commit-chain.ts`,
    from: 'if (races++ >= maxRaces)',
    to: 'if (races++ >= 0)',
    tests: [chain, 'test/server/edits.test.ts']
  },
  {
    name: 'a refused commit of a chain leaves no objects behind',
    file: `${server}/commit-chain.ts`,
    from: '        workspace.unstage(staged)\n',
    to: '',
    tests: [chain]
  },
  {
    name: 'a refusal that tells of a head of its chain waits for the move',
    file: `${server}/commit-chain.ts`,
    from: 'commit.reject(isOnChain && failure !== undefined ? failure : error)',
    to: 'commit.reject(error)',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'a chain is bounded in commits',
    file: `${server}/branch-queue.ts`,
    from: 'queue.slice(0, maxCommits)',
    to: 'queue',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'a chain is bounded in bytes',
    file: `${server}/branch-queue.ts`,
    from: 'if (length > 0 && bytes > maxChainBytes) break',
    to: '',
    tests: ['test/server/write-rules.test.ts']
  },
  {
    name: 'an abandoned call moves no ref',
    file: `${server}/workspace.ts`,
    from: '      this.throwIfAbandoned()\n      remembered?.throwIfAbandoned?.()\n',
    to: '      remembered?.throwIfAbandoned?.()\n',
    tests: ['test/server/abandoned.test.ts', 'test/faults/request-keys.test.ts', 'test/server/batch.test.ts']
  },
  {
    name: 'an abandoned batch moves no ref',
    file: `${server}/workspace.ts`,
    from: 'throwIfAbandoned: () => this.throwIfAbandoned() })',
    to: '})',
    tests: ['test/server/abandoned.test.ts', 'test/server/batch.test.ts']
  },
  {
    name: 'one failed move of an atomic batch stops all',
    file: `${server}/batch.ts`,
    from: 'if (this.#failed) {',
    to: 'if (false) {',
    tests: ['test/server/batch.test.ts']
  },
  {
    name: 'a batch is bounded in operations',
    file: `${server}/batch.ts`,
    from: 'if (list.length > maxBatchOperations)',
    to: 'if (false)',
    tests: ['test/server/batch.test.ts', 'test/server/hostile-requests.test.ts']
  },
  {
    name: 'an operation of a batch is of its repository',
    file: `${server}/batch.ts`,
    from: "if (named !== '' && named !== repository)",
    to: 'if (false)',
    tests: ['test/server/batch.test.ts']
  },
  {
    name: 'bytes that do not hash to their oid are data loss',
    file: `${server}/object-content.ts`,
    from: 'if (hashObject(kind, object.content, format) !== oid)',
    to: 'if (false)',
    tests: ['test/server/damage.test.ts']
  },
  {
    name: 'an operation that fits no request does not fail the batch',
    file: 'src/client/batch.ts',
    from: 'if (run.length === 1) first.result = { ok: false, error }',
    to: 'if (run.length === 1) throw error',
    tests: ['test/client/calls.test.ts']
  }
]
