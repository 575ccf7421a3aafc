/** Guards of clones and fetches over HTTP. */
import type { Guard } from './guard.ts'

const source = 'server-fixture/git-http'
const fetched = 'test/git-http/fetch.test.ts'
const route = 'test/git-http/git-route.test.ts'
const processes = 'test/git-http/processes.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the token of a Git client counts as a password',
    file: 'server-fixture/auth.ts',
    from: 'authenticateGit: (authorization) => find(bearerOf(authorization)).principal',
    to: 'authenticateGit: (authorization) => find(authorization).principal',
    tests: [route]
  },
  {
    name: 'the token of a Git client counts as a name without a password',
    file: 'server-fixture/auth.ts',
    from: 'password || user',
    to: 'password',
    tests: [route]
  },
  {
    name: 'Git is told to ask for a password',
    file: `${source}/git-route.ts`,
    from: ', { headers: challenge })',
    to: ')',
    tests: [route]
  },
  {
    name: 'who may only read does not push',
    file: `${source}/git-route.ts`,
    from: "if (isPush && !principal.may('write', repository))",
    to: 'if (isPush && repository === "")',
    tests: [route]
  },
  {
    name: 'a file below a directory that ends in .git is no remote',
    file: 'server-fixture/http/routes.ts',
    from: '  const address = addressOf(path)\n',
    to: "  const address = path.includes('.git/') ? undefined : addressOf(path)\n",
    tests: [route]
  },
  {
    name: 'the header of the protocol is no place for a script',
    file: `${source}/git-request.ts`,
    from: '/^[\\w.=:-]{1,256}$/.test(value)',
    to: 'value !== ""',
    tests: [route]
  },
  {
    name: 'requests of Git have a bound after decompression',
    file: `${source}/upload-pack.ts`,
    from: 'const maxRequestBytes = 16 ',
    to: 'const maxRequestBytes = 64 ',
    tests: [route]
  },
  {
    name: 'refs of version 0 come after the name of their service',
    file: `${source}/upload-pack.ts`,
    from: "isVersion2(request.protocol) ? undefined : serviceLine('git-upload-pack')",
    to: 'undefined',
    tests: [route]
  },
  {
    name: 'partial clones are permitted',
    file: `${source}/upload-pack.ts`,
    from: "'uploadpack.allowFilter': 'true'",
    to: "'uploadpack.allowFilter': 'false'",
    tests: [fetched]
  },
  {
    name: 'the export of a repository that is gone goes',
    file: `${source}/git-remotes.ts`,
    from: 'if (!this.#store.gitDirectory) await this.directoryOf(repository, signal)',
    to: 'if (this.#store.gitDirectory) await this.directoryOf(repository, signal)',
    tests: [fetched]
  },
  {
    name: 'a fetch of objects that the export lacks brings it up to date',
    file: `${source}/git-remotes.ts`,
    from: 'return isWhole ? gitDir',
    to: 'return isWhole || gitDir !== "" ? gitDir',
    tests: [fetched]
  },
  {
    name: 'a fetch of objects that the export has waits for no other',
    file: `${source}/git-remotes.ts`,
    from: 'return isWhole ? gitDir',
    to: 'return isWhole && gitDir === "" ? gitDir',
    tests: [fetched]
  },
  {
    name: 'an export of an earlier repository of the name is not served',
    file: 'server-fixture/git-export/git-exports.ts',
    from: 'return exported?.incarnation === cursor.incarnation ? path : undefined',
    to: 'return exported && cursor ? path : undefined',
    tests: [fetched]
  },
  {
    name: 'an export ends with the server',
    file: 'server-fixture/git-export/git-exports.ts',
    from: ' maxPacks: this.#maxPacks, signal }',
    to: ' maxPacks: this.#maxPacks, signal: undefined as typeof signal | undefined }',
    tests: [fetched]
  },
  {
    name: 'no export begins when the server stops',
    file: 'server-fixture/git-export/git-exports.ts',
    from: '      this.#closing.signal.throwIfAborted()\n',
    to: '',
    tests: [fetched]
  },
  {
    name: 'no more requests wait for a process than may wait',
    file: `${source}/process-slots.ts`,
    from: 'this.#waiting.size >= this.#bounds.maxWaiting',
    to: 'this.#waiting.size < 0',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'a slot is given back once',
    file: `${source}/process-slots.ts`,
    from: "      state = 'ended'\n",
    to: '',
    tests: [processes]
  },
  {
    name: 'clients that read slowly keep no others waiting',
    file: `${source}/service-answer.ts`,
    from: 'onSlow && setTimeout(onSlow, slowMs)',
    to: 'onSlow && setTimeout(() => undefined, slowMs)',
    tests: [processes]
  },
  {
    name: 'a process that waits for its client gives its place away',
    file: `${source}/process-slots.ts`,
    from: '        this.#parked++\n        this.#passOn()\n',
    to: '        this.#parked++\n',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'not too many processes wait for their clients',
    file: `${source}/process-slots.ts`,
    from: ' || this.#parked >= parkedOfRunning * this.#bounds.max',
    to: '',
    tests: [processes]
  },
  {
    name: 'a client is told why git goes no further, and takes the answer for whole',
    file: `${source}/service-answer.ts`,
    from: 'if (refusal === undefined) await',
    to: 'if (refusal !== "") await',
    tests: [processes]
  },
  {
    name: 'a repository that is replaced under a clone is no failure of the server',
    file: `${source}/service-answer.ts`,
    from: '  if (/does not appear to be a git repository|mismatched object format/.test(exit.stderr)) throw replaced()\n',
    to: '',
    tests: [processes]
  },
  {
    name: 'a URL without .git is told so',
    file: 'server-fixture/http/routes.ts',
    from: '  if (bareName) return refuseWithoutSuffix(exchange, bareName)\n',
    to: '',
    tests: [route]
  },
  {
    name: 'a request that nobody waits for leaves the queue',
    file: `${source}/process-slots.ts`,
    from: "      signal?.addEventListener('abort', abort, { once: true })\n",
    to: '',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'a request waits for a process only so long',
    file: `${source}/process-slots.ts`,
    from: '}, this.#bounds.maxWaitMs)',
    to: '}, 2 ** 30)',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'what a git process has started ends with it',
    file: `${source}/service-process.ts`,
    from: "if (hasGroups) process.kill(-pid, 'SIGKILL')",
    to: "if (hasGroups) process.kill(pid, 'SIGKILL')",
    tests: [processes],
    mayHang: true
  },
  {
    name: 'git processes come after calls',
    file: `${source}/service-process.ts`,
    from: '    lowerPriority(child.pid)\n',
    to: '',
    tests: [processes]
  },
  {
    name: 'a process whose client does not read is over although its output is not read',
    file: `${source}/service-answer.ts`,
    from: '    git.stdout.destroy()\n',
    to: '',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'a process is read as fast as its client reads',
    file: `${source}/service-answer.ts`,
    from: '        if (room) await unlessSlow(room, onSlow, slowMs)\n',
    to: '',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'a process has its time',
    file: `${source}/service-answer.ts`,
    from: 'transfer.abort(tookTooLong(request))',
    to: 'undefined',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'a part of a pack is not taken for the whole',
    file: `${source}/service-answer.ts`,
    from: '      stream.destroy()\n',
    to: '      stream.end()\n',
    tests: [processes]
  },
  {
    name: 'clients are not told where a repository is',
    file: `${source}/service-answer.ts`,
    from: "gitFailure('git', exit, directory)",
    to: "gitFailure(directory && 'git', exit)",
    tests: [processes]
  },
  {
    name: 'the temporary directory of a living server stays',
    file: `${source}/temporary-cache.ts`,
    from: '      const lock = await LockFile.acquire(path)\n',
    to: '      const lock = { release: async () => undefined }\n',
    tests: [processes]
  },
  {
    name: 'a temporary directory that is just made stays',
    file: `${source}/temporary-cache.ts`,
    from: '      await stat(join(path, lockName))\n',
    to: '      await stat(path)\n',
    tests: [processes]
  },
  {
    name: 'requests for refs that come together wait for one process',
    file: `${source}/shared-answers.ts`,
    from: 'let answer = this.#waiting.get(key)',
    to: "let answer = this.#waiting.get('')",
    tests: [processes]
  },
  {
    name: 'a request for refs is told none that were read before it',
    file: `${source}/shared-answers.ts`,
    from: '      this.#waiting.delete(key)\n',
    to: '',
    tests: [processes]
  },
  {
    name: 'a long list of refs is not kept in memory',
    file: `${source}/shared-answers.ts`,
    from: '      if (bytes > maxBytes) return undefined\n',
    to: '',
    tests: [processes]
  },
  {
    name: 'a pack that takes long holds up no other',
    file: `${source}/process-slots.ts`,
    from: 'if (maxHoldMs !== undefined) timer',
    to: 'if (maxHoldMs === undefined) timer',
    tests: [processes],
    mayHang: true
  },
  {
    name: 'refs of an export tell of all objects that a fetch wants, or of none',
    file: 'server-fixture/git-export/exported-refs.ts',
    from: 'return oids.every((oid) => tips.has(oid))',
    to: 'return oids.some((oid) => tips.has(oid))',
    tests: [fetched]
  }
]
