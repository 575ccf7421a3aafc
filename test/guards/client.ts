/** Guards of the client: tokens and TLS, time limits, counters, keys, and arguments. */
import type { Guard } from './guard.ts'

export const guards: readonly Guard[] = [
  {
    name: 'a TLS endpoint that names a cleartext address for gRPC is refused',
    file: 'src/client/transport-factory.ts',
    from: 'if (asked.secure && !found.secure)',
    to: 'if (false)',
    tests: ['test/client/tls.test.ts']
  },
  {
    name: 'the time that grpc-retry-pushback-ms asks for is waited for',
    file: 'src/transport/grpc/errors.ts',
    from: 'details: { ...found.details, retryAfterMs: Number(pushback) }',
    to: 'details: found.details',
    tests: ['test/faults/grpc-pushback.test.ts']
  },
  {
    name: 'a grpc-retry-pushback-ms below 0 forbids a retry',
    file: 'src/transport/grpc/errors.ts',
    from: 'return found.with({ retryable: false })',
    to: 'return found',
    tests: ['test/faults/grpc-pushback.test.ts']
  },
  {
    name: 'calls that end at their deadline are counted',
    file: 'src/call/pipeline.ts',
    from: "if (found.code === 'deadline_exceeded' && !found.is('attempt_timeout')) counters.timeouts++",
    to: '',
    tests: ['test/client/timeouts.test.ts']
  },
  {
    name: 'attempts that end at their own time are counted',
    file: 'src/retry/attempt.ts',
    from: '    this.#context.counters.timeouts++\n',
    to: '',
    tests: ['test/client/timeouts.test.ts']
  },
  {
    name: 'calls under way are bounded',
    file: 'src/call/bulkhead.ts',
    from: 'if (this.queued >= this.#options.maxQueued)',
    to: 'if (false)',
    tests: ['test/call/running-call.test.ts', 'test/client/calls.test.ts'],
    mayHang: true
  },
  {
    name: 'a call whose turn comes after its deadline is not begun',
    file: 'src/call/running-call.ts',
    from: '    if (this.remainingMs() <= 0) return this.onTime()\n',
    to: '',
    tests: ['test/call/running-call.test.ts']
  },
  {
    name: 'a signal that is aborted already sends nothing',
    file: 'src/call/running-call.ts',
    from: 'if (unstarted.signal?.aborted)',
    to: 'if (false)',
    tests: ['test/call/running-call.test.ts'],
    mayHang: true
  },
  {
    name: 'a settled call lets go of the signal of its caller',
    file: 'src/call/running-call.ts',
    from: '    if (signal !== undefined) stopListening(signal, this)\n',
    to: '',
    tests: ['test/call/running-call.test.ts']
  },
  {
    name: 'a token source that never answers has failed',
    file: 'src/call/credentials.ts',
    from: 'const cancel = this.#clock.schedule(this.#timeoutMs, late)',
    to: 'const cancel = () => void late',
    tests: ['test/call/credentials.test.ts'],
    mayHang: true
  },
  {
    name: 'a token has the form of one',
    file: 'src/call/credentials.ts',
    from: 'if (isToken(answer)) return answer',
    to: 'return answer as string',
    tests: ['test/call/pipeline.test.ts'],
    mayHang: true
  },
  {
    name: 'a wait that would pass the deadline is not begun',
    file: 'src/retry/policy.ts',
    from: "if (waitMs >= remainingMs) return 'not_retryable'",
    to: '',
    tests: ['test/retry/retry.test.ts'],
    mayHang: true
  },
  {
    name: 'retries cost the budget',
    file: 'src/retry/policy.ts',
    from: 'if (!hadNoConnection(error) && !this.#budget.take())',
    to: 'if (false)',
    tests: ['test/retry/budget.test.ts']
  },
  {
    name: 'hedges cost the budget',
    file: 'src/retry/hedged-call.ts',
    from: 'if (this.#over || !this.#context.budget.take()) return',
    to: 'if (this.#over) return',
    tests: ['test/retry/hedge.test.ts']
  },
  {
    name: 'the losing attempt of a hedge is aborted',
    file: 'src/retry/hedged-call.ts',
    from: '    for (const attempt of this.#running) attempt.cancel(error)\n',
    to: '',
    tests: ['test/retry/hedge.test.ts']
  },
  {
    name: 'a connection without any byte after a PING is dead',
    file: 'src/connection/health.ts',
    from: '        if (!isAlive) this.#destroy(timeoutMs)\n',
    to: '',
    tests: ['test/connection/health.test.ts']
  },
  {
    name: 'streams that a server pushes are refused',
    file: 'src/connection/grpc/refuse-pushes.ts',
    from: '  if (refused) return\n',
    to: '  return\n',
    tests: ['test/faults/hostile-server.test.ts']
  },
  {
    name: 'an endpoint has neither credentials nor a path',
    file: 'src/connection/endpoint.ts',
    from: "if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {",
    to: 'if (false) {',
    tests: ['test/client/options.test.ts']
  },
  {
    name: 'a password in a mistaken endpoint is not shown',
    file: 'src/connection/endpoint.ts',
    from: "show(value.replace(/\\/\\/[^/]*@/, '//…@'))",
    to: 'show(value)',
    tests: ['test/client/options.test.ts']
  },
  {
    name: 'headers that the protocol sets are refused in calls',
    file: 'src/core/headers.ts',
    from: 'if (reservedHeaders.test(name))',
    to: 'if (false)',
    tests: ['test/client/arguments.test.ts', 'test/client/options.test.ts']
  },
  {
    name: 'unknown options of calls are refused',
    file: 'src/client/call-shapes.ts',
    from: '    throw invalidArgument(key, description, method)\n',
    to: '',
    tests: ['test/client/arguments.test.ts']
  },
  {
    name: 'a key of a caller has the form of one',
    file: 'src/client/request-key.ts',
    from: "if (typeof key === 'string' && form.test(key)) return key",
    to: 'return key as string',
    tests: ['test/client/request-key.test.ts']
  },
  {
    name: 'a further round of a commit has a key of its own',
    file: 'src/client/request-key.ts',
    from: 'const suffix = `--${part}`',
    to: "const suffix = ''",
    tests: [
      'test/client/request-key.test.ts',
      'test/client/commit-round-trips.test.ts',
      'test/client/long-lists.test.ts'
    ]
  },
  {
    name: 'an answer larger than maxResponseBytes is refused while it comes',
    file: 'src/transport/http/body.ts',
    from: '    if (size > maxBytes) throw tooLarge(maxBytes)\n',
    to: '',
    tests: ['test/faults/hostile-answers.test.ts']
  },
  {
    name: 'a transport that has worked is not left for an error',
    file: 'src/balance/transport-selector.ts',
    from: ' || channel.verified) return false',
    to: ') return false',
    tests: ['test/balance/transport-selector.test.ts']
  },
  {
    name: 'a signature holds no line of its own',
    file: 'src/git/signature.ts',
    from: "if (forbidden.test(text)) throw invalidArgument(field, 'must not contain <, >, a newline or NUL')",
    to: '',
    tests: ['test/git/names.test.ts']
  },
  {
    name: 'no path leads out of a tree',
    file: 'src/git/path.ts',
    from: "if (segment === '.' || segment === '..')",
    to: 'if (false)',
    tests: ['test/git/paths.test.ts']
  },
  {
    name: 'no path is read as .git by any file system',
    file: 'src/git/path.ts',
    from: 'if (isDotGit(segment))',
    to: 'if (false)',
    tests: ['test/git/paths.test.ts']
  },
  {
    name: 'no repository is made outside of the data directory',
    file: 'src/git/repository-name.ts',
    from: "if (segment === '.' || segment === '..' || segment === '__proto__')",
    to: 'if (false)',
    tests: ['test/git/names.test.ts']
  },
  {
    name: 'the store checks the names of repositories itself',
    file: 'server-fixture/store/git/repository-directories.ts',
    from: "  if (problem) throw invalidArgument('repository', problem)\n",
    to: '',
    tests: ['test/store/git-store.test.ts']
  },
  {
    name: 'texts that git would read as revisions are no oids',
    file: 'server-fixture/store/git/object-reader.ts',
    from: 'oids.filter((oid) => isOid(oid, this.#format))',
    to: '[...oids]',
    tests: ['test/store/contract.test.ts', 'test/store/git-store.test.ts']
  }
]
