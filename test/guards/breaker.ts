/** Guards of circuit breakers, retries and their budget: a client is well again in a second, and bounded meanwhile. */
import type { Guard } from './guard.ts'

const breaker = 'src/balance/circuit-breaker.ts'
const room = 'src/balance/waiting-room.ts'
const times = 'src/core/answer-times.ts'
const retrying = 'src/retry/retrying-call.ts'

const breakerTest = 'test/balance/circuit-breaker.test.ts'
const roomTest = 'test/balance/waiting-room.test.ts'
const silence = 'test/balance/silence.test.ts'
const reasons = 'test/core/reasons.test.ts'
const atPeer = 'test/faults/attempts-at-peer.test.ts'
const budget = 'test/retry/budget.test.ts'

export const guards: readonly Guard[] = [
  {
    name: 'the breaker: exactly one probe',
    file: breaker,
    from: "    this.#change('half_open')\n",
    to: '',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: twice the time after each failed probe',
    file: breaker,
    from: '2 ** this.#openingsInRow++',
    to: '1',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: never open for longer than openMs',
    file: breaker,
    from: 'Math.min(openMs, firstOpenMs',
    to: 'Math.max(0, firstOpenMs',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: half a second again after a success',
    file: breaker,
    from: '      this.#openingsInRow = 0\n',
    to: '',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: clients do not probe together',
    file: breaker,
    from: ' * (1 - jitter * this.#random())',
    to: '',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: late outcomes of an earlier state do not count',
    file: breaker,
    from: '    if (permit !== this.#generation) return\n',
    to: '',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: attempts that fail together are one failure',
    file: breaker,
    from: '    if (beganAtMs >= this.#countedAtMs) {',
    to: '    if (beganAtMs >= 0) {',
    tests: [breakerTest]
  },
  {
    name: 'the breaker: an error of one operation in a frame is an answer',
    file: 'src/retry/attempt.ts',
    from: "isResult ? 'success' : outcomeOf(",
    to: 'outcomeOf(',
    tests: ['test/faults/restarts.test.ts']
  },
  {
    name: 'the breaker: a call that never got on its way says nothing at its end',
    file: 'src/retry/attempt.ts',
    from: "if (this.progress().sent !== 'never') this.#failed(error, false)",
    to: 'if (this.progress() !== undefined) this.#failed(error, false)',
    tests: [silence]
  },
  {
    name: 'the breaker: a deadline while others are answered proves nothing',
    file: times,
    from: ' && this.lastAtMs < beganAtMs',
    to: '',
    tests: [silence]
  },
  {
    name: 'the breaker: a deadline of less than a second proves nothing',
    file: times,
    from: 'waitedMs >= leastSilenceMs && ',
    to: '',
    tests: [silence]
  },
  {
    name: 'the breaker: a deadline shorter than the usual answer proves nothing',
    file: times,
    from: 'waitedMs >= this.#usualMs && ',
    to: '',
    tests: [silence]
  },
  {
    name: 'the breaker: results on a session are answers of the endpoint',
    file: 'src/batch/session-frames.ts',
    from: '      answers.lastAtMs = now\n',
    to: '',
    tests: [silence, budget]
  },
  {
    name: 'the breaker: an error that a unary request is answered with is an answer',
    file: 'src/balance/endpoint-channel.ts',
    from: "      if (exception.sent === 'processed') this.#answers.lastAtMs = clock.now()\n",
    to: '',
    tests: [silence]
  },
  {
    name: 'the breaker: answers of the server close it, whatever they say',
    file: 'src/balance/outcome.ts',
    from: "sent === 'processed' ? 'success' : 'none'",
    to: "'none'",
    tests: [reasons]
  },
  {
    name: 'the breaker: silence counts only where nothing else is answered',
    file: 'src/balance/outcome.ts',
    from: " && sent !== 'processed' && isSilence",
    to: '',
    tests: [reasons]
  },
  {
    name: 'the breaker: a refused request had its connection, and is not free',
    file: 'src/core/reason-rows.ts',
    from: "text: 'The server refused the request without processing it.', breaker: 'refusal' }",
    to: "text: 'The server refused the request without processing it.' }",
    tests: [atPeer]
  },
  {
    name: 'the breaker: a failed disk is no failure of the endpoint',
    file: 'src/core/reason-rows.ts',
    from: "the write is not acknowledged.', ...ofOne",
    to: "the write is not acknowledged.'",
    tests: [reasons]
  },
  {
    name: 'waiting: a connection is tried while calls wait',
    file: room,
    from: ' && this.#nextAtMs(breaker) <= now) this.#check',
    to: ' && this.#nextAtMs(breaker) < 0) this.#check',
    tests: [roomTest]
  },
  {
    name: 'waiting: no connection is tried when nobody waits',
    file: room,
    from: '    if (this.#waiting.size === 0) return\n    this.#checkedAtMs',
    to: '    this.#checkedAtMs',
    tests: [roomTest]
  },
  {
    name: 'waiting: connections are tried twice a second, not more often',
    file: room,
    from: 'this.#checkedAtMs.get(breaker) ?? 0',
    to: '0',
    tests: [roomTest],
    mayHang: true
  },
  {
    name: 'waiting: calls go on when the breaker closes',
    file: room,
    from: '    for (const [breaker] of this.#breakers) breaker.onChange = () => this.#changed()\n',
    to: '',
    tests: [roomTest]
  },
  {
    name: 'waiting: an aborted call leaves',
    file: retrying,
    from: '    if (this.#waitsSinceMs !== undefined) this.#context.selector.waitingRoom(this.#call).leave(this)\n',
    to: '',
    tests: [roomTest]
  },
  {
    name: 'waiting: for waitMs at most',
    file: retrying,
    from: 'Math.min(this.#waitLeftMs, this.#call.remainingMs() - leadMs)',
    to: 'this.#call.remainingMs() - leadMs',
    tests: [roomTest]
  },
  {
    name: 'waiting: ends before the deadline, so that the error tells why',
    file: retrying,
    from: ' - leadMs)',
    to: ')',
    tests: [roomTest]
  },
  {
    name: 'waiting: a connection without a server behind it does not count',
    file: 'src/connection/dial/connection-check.ts',
    from: '      return await isAnswered(socket)\n',
    to: '      return true\n',
    tests: ['test/connection/connection-check.test.ts']
  },
  {
    name: 'retries: a probe that finds nobody listening is no attempt of its call',
    file: retrying,
    from: 'if (!(this.#isProbe && hadNoConnection(error))) this.#failures',
    to: 'this.#failures',
    tests: [roomTest]
  },
  {
    name: 'retries: one more attempt than the failures that open a breaker, by default',
    file: 'src/options/rows/policies.ts',
    from: "  maxAttempts: { kind: 'number', default: 6,",
    to: "  maxAttempts: { kind: 'number', default: 5,",
    tests: ['test/client/defaults.test.ts']
  },
  {
    name: 'retries: hidden replays count',
    file: retrying,
    from: 'maxSends: Math.max(1, maxAttempts - this.#failures)',
    to: 'maxSends: 3',
    tests: [atPeer]
  },
  {
    name: 'retries: a hidden replay is asked for',
    file: 'src/connection/http2/connection-pool.ts',
    from: 'if (this.#isReplay && this.#mayReplay?.() === false)',
    to: 'if (false)',
    tests: [atPeer]
  },
  {
    name: 'retries: a hidden replay takes the budget',
    file: 'src/balance/endpoint-channel.ts',
    from: ' || !budget.take(callCount)',
    to: '',
    tests: [atPeer]
  },
  {
    name: 'retries: a stream whose failure ends its connection does not move',
    file: 'src/connection/http2/connection-pool.ts',
    from: '(() => this.#failed || onGoaway())',
    to: '(() => onGoaway())',
    tests: [atPeer]
  },
  {
    name: 'retries: only attempts without a connection are free',
    file: 'src/balance/outcome.ts',
    from: "  return sent === 'never' && ruleOf(code, reason).breaker === 'connection'\n",
    to: "  return sent === 'never'\n",
    tests: [atPeer]
  },
  {
    name: 'retries: attempts without a connection are free',
    file: 'src/retry/policy.ts',
    from: '!hadNoConnection(error) && ',
    to: '',
    tests: [budget]
  },
  {
    name: 'retries: what a session that never worked had under way is sent again within the budget',
    file: 'src/batch/session-frames.ts',
    from: 'return (isFree && sends === 1) || this.#context.budget.take()',
    to: 'return true',
    tests: [budget]
  },
  {
    name: 'retries: what a session that worked had under way is sent again once',
    file: 'src/batch/session-frames.ts',
    from: '(isFree && sends === 1)',
    to: 'isFree',
    tests: [budget]
  },
  {
    name: 'gRPC: every attempt tries to connect',
    file: 'src/connection/grpc/connection.ts',
    from: '        this.#couldNotConnect()\n',
    to: '',
    tests: ['test/faults/restarts.test.ts']
  }
]
