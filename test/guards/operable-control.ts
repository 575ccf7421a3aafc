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
  },
  {
    name: 'idle endpoints get calls in proportion to their weights',
    file: 'src/balance/picker.ts',
    from: 'this.#servedAt[best.place] = best.servedAt',
    to: '',
    tests: ['test/balance/picker.test.ts']
  },
  {
    name: 'an endpoint that was away is not given the calls that it missed',
    file: 'src/balance/picker.ts',
    from: 'Math.max(this.#virtualTime, (this.#servedAt[place] as number) + cost)',
    to: '(this.#servedAt[place] as number) + cost',
    tests: ['test/balance/picker.test.ts']
  },
  {
    name: 'the load of an endpoint counts for its weight',
    file: 'src/balance/picker.ts',
    from: 'Number.MAX_VALUE : channel.inFlight * cost',
    to: 'Number.MAX_VALUE : channel.inFlight',
    tests: ['test/balance/picker.test.ts']
  },
  {
    name: 'an endpoint has its own time for an attempt',
    file: 'src/balance/endpoint-channel.ts',
    from: 'own === undefined ? context.attemptTimeoutMs : own.attemptTimeoutMs',
    to: 'context.attemptTimeoutMs',
    tests: ['test/client/timeouts.test.ts']
  },
  {
    name: 'an endpoint has its own connections',
    file: 'src/client/transport-factory.ts',
    from: 'this.#options.endpointOptions.get(text) ?? {}',
    to: '{} as Partial<typeof this.#options>',
    tests: control
  },
  {
    name: 'waits without jitter are whole',
    file: 'src/retry/policy.ts',
    from: '(jitter ? random() : 1)',
    to: 'random()',
    tests: ['test/retry/retry.test.ts']
  },
  {
    name: 'waits grow by their factor',
    file: 'src/retry/policy.ts',
    from: 'baseMs * factor ** (failures - 1)',
    to: 'baseMs * 2 ** (failures - 1)',
    tests: ['test/retry/retry.test.ts']
  },
  {
    name: 'requests over gRPC name the application',
    file: 'src/connection/grpc/channel-options.ts',
    from: "    'grpc.primary_user_agent': context.userAgent,\n",
    to: '',
    tests: ['test/client/user-agent.test.ts']
  },
  {
    name: 'requests over HTTP name the application',
    file: 'src/balance/endpoint-channel.ts',
    from: ", 'user-agent': userAgent, ",
    to: ', ',
    tests: ['test/client/user-agent.test.ts']
  }
]
