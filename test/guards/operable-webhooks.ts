/** Guards of webhooks: signatures, the addresses that a sender connects to, and what the outbox promises. */
import type { Guard } from './guard.ts'

const signature = ['test/webhooks/signature.test.ts']
const guard = ['test/webhooks/guard.test.ts']
const sending = ['test/webhooks/sender.test.ts']
const waiting = ['test/webhooks/waiting.test.ts']
const wire = ['test/webhooks/wire.test.ts']
const outbox = ['test/webhooks/outbox.test.ts']
const mishaps = ['test/webhooks/mishaps.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'a process goes on while somebody waits for a delivery',
    file: 'src/webhooks/sender.ts',
    from: '    beginWork()\n    try {\n',
    to: '    try {\n',
    tests: ['test/webhooks/waiting.test.ts']
  },
  {
    name: 'a webhook without a signature that fits is refused',
    file: 'src/webhooks/verify.ts',
    from: 'if (!fits(verifiers, signedContent(id, timestamp, bytes), signatures)) {',
    to: 'if (signatures === undefined) {',
    tests: signature
  },
  {
    name: 'a webhook has an id without a full stop',
    file: 'src/webhooks/signature.ts',
    from: '/^[A-Za-z0-9_-]{1,128}$/',
    to: '/^[A-Za-z0-9_.-]{1,128}$/',
    tests: signature
  },
  {
    name: 'a webhook that is too old or too new is refused',
    file: 'src/webhooks/verify.ts',
    from: 'if (Math.abs(nowMs - timestampMs) > toleranceMs) {',
    to: 'if (nowMs - timestampMs > toleranceMs) {',
    tests: signature
  },
  {
    name: 'a signature is verified by secrets of its own kind alone',
    file: 'src/webhooks/verify.ts',
    from: 'verifier.version === version && verifier.verifies',
    to: 'verifier.verifies',
    tests: signature
  },
  {
    name: 'the name of a destination is judged by all of its addresses, before a connection',
    file: 'src/connection/dial/connector.ts',
    from: 'const lookup = guard && !proxy ? guardedLookup(guard, target, context.lookup) : context.lookup',
    to: 'const lookup = context.lookup',
    tests: guard
  },
  {
    name: 'an address in the URL is judged before a connection',
    file: 'src/connection/dial/connector.ts',
    from: 'if (guard && (proxy || literal)) checkAddress(guard, target, literal)',
    to: '',
    tests: guard
  },
  {
    name: 'the address that the socket has is judged',
    file: 'src/connection/dial/connector.ts',
    from: 'if (guard && !proxy) checkPeer(guard, target, socket)',
    to: '',
    tests: guard
  },
  {
    name: 'an address of IPv4 inside one of IPv6 is judged as what it is',
    file: 'src/connection/dial/special-addresses.ts',
    from: "return isWithin(embedding, address, 'ipv6') ? lastFour(address) : address",
    to: 'return address',
    tests: guard
  },
  {
    name: 'of IPv6 only global unicast is public',
    file: 'src/connection/dial/special-addresses.ts',
    from: "(isWithin(unicast, address, 'ipv6') ? undefined : 'reserved')",
    to: 'undefined',
    tests: guard
  },
  {
    name: 'a sender with a proxy has to say that the proxy guards',
    file: 'src/webhooks/guard.ts',
    from: 'if (!proxyGuards && proxy !== undefined) {',
    to: 'if (false) {',
    tests: guard
  },
  {
    name: 'a redirect is guarded as its destination is',
    file: 'src/webhooks/receiver.ts',
    from: 'const isOwn = originOf(url) === origin',
    to: 'const isOwn = true',
    tests: wire
  },
  {
    name: 'a refused request is not repeated below the sender',
    file: 'src/webhooks/receiver.ts',
    from: 'mayReplay: () => false',
    to: 'mayReplay: () => true',
    tests: wire
  },
  {
    name: 'a refusal of the guard is final',
    file: 'src/webhooks/verdict.ts',
    from: "const final = ['address_refused', ",
    to: 'const final = [',
    tests: wire,
    mayHang: true
  },
  {
    name: 'an answer of 4xx is final',
    file: 'src/webhooks/verdict.ts',
    from: 'status >= 500 || retried.includes(status)\n}',
    to: 'status >= 400\n}',
    tests: sending,
    mayHang: true
  },
  {
    name: 'Retry-After is kept',
    file: 'src/webhooks/verdict.ts',
    from: 'const delayMs = Math.max(askedMs, delay * (1 + retry.jitter * random()))',
    to: 'const delayMs = delay * (1 + retry.jitter * random())',
    tests: sending
  },
  {
    name: 'an attempt has a time limit',
    file: 'src/webhooks/receiver.ts',
    from: 'const cancel = clock.schedule(post.timeoutMs, () => controller.abort(timedOut(post.timeoutMs)))',
    to: 'const cancel = () => {}',
    tests: sending,
    mayHang: true
  },
  {
    name: 'attempts at a destination are bounded',
    file: 'src/webhooks/channel.ts',
    from: 'return (isProbe ? 1 : this.destination.concurrency) - (this.#running - this.#elsewhere)',
    to: 'return isProbe ? 1 - this.#running : 100',
    tests: waiting
  },
  {
    name: 'the breaker of a destination is told of failures',
    file: 'src/webhooks/channel.ts',
    from: 'if (permit !== undefined) this.#breaker?.record(permit, verdict.outcome, beganAtMs)',
    to: '',
    tests: waiting
  },
  {
    name: 'a delivery waits for the earlier one of its key',
    file: 'src/webhooks/outbox-sql.ts',
    from: 'THEN NULL ELSE :now END',
    to: 'THEN :now ELSE :now END',
    tests: [...outbox, ...waiting]
  },
  {
    name: 'the next delivery of a key is due when a dead letter ends the one before',
    file: 'src/webhooks/outbox-schema.ts',
    from: 'WHEN old.state = ${pending} AND new.state <> ${pending} AND old.ordering_key IS NOT NULL BEGIN',
    to: 'WHEN 0 BEGIN',
    tests: outbox
  },
  {
    name: 'the outcome of an owner whose lease was taken over does not count',
    file: 'src/webhooks/outbox.ts',
    from: '`DELETE FROM deliveries WHERE sequence = ? AND claims = ? AND state',
    to: '`DELETE FROM deliveries WHERE sequence = ? AND claims >= ? AND state',
    tests: outbox
  },
  {
    name: 'a lease keeps others from a delivery',
    file: 'src/webhooks/outbox-sql.ts',
    from: 'SET leased = 1, claims = claims + 1, ready_at = ?\n',
    to: 'SET leased = 1, claims = claims + 1, ready_at = ? - 1000000\n',
    tests: outbox
  },
  {
    name: 'the lease of a process that was killed ends',
    file: 'src/webhooks/outbox-sql.ts',
    from: 'AND ready_at <= ? ORDER BY',
    to: 'AND leased = 0 AND ready_at <= ? ORDER BY',
    tests: outbox
  },
  {
    name: 'a destination has room for a bounded number of deliveries',
    file: 'src/webhooks/outbox.ts',
    from: "const isFull = Number(queue?.['pending'] ?? 0) >= this.#options.maxPending",
    to: 'const isFull = queue === null',
    tests: waiting
  },
  {
    name: 'the file of an outbox is bounded',
    file: 'src/webhooks/outbox.ts',
    from: '    this.#checkSize()\n',
    to: '',
    tests: outbox
  },
  {
    name: 'a dead letter is told until its callback has returned',
    file: 'src/webhooks/dead-letters.ts',
    from: 'outbox.setTold(letter, clock.wallTimeMs() + againMs)',
    to: 'outbox.setTold(letter)',
    tests: waiting
  },
  {
    name: 'webhooks: a dead letter of which nobody was told is not dropped',
    file: 'src/webhooks/engine.ts',
    from: 'onDeadLetter !== undefined)',
    to: 'onDeadLetter === undefined)',
    tests: mishaps
  },
  {
    name: 'webhooks: another URL ends no attempt at the one before',
    file: 'src/webhooks/receiver.ts',
    from: 'if (connection.requests === 0) connection',
    to: 'connection',
    tests: mishaps
  },
  {
    name: 'webhooks: another URL has a breaker that knows nothing',
    file: 'src/webhooks/channel.ts',
    from: '    this.#breaker?.reset()\n',
    to: '',
    tests: mishaps
  },
  {
    name: 'webhooks: a callback that rejects is no unhandled rejection',
    file: 'src/webhooks/engine.ts',
    from: 'await this.#options.onDelivered?.(facts)',
    to: 'this.#options.onDelivered?.(facts)',
    tests: mishaps
  },
  {
    name: 'webhooks: a closed sender says so',
    file: 'src/webhooks/sender.ts',
    from: '    if (this.#engine.isClosed) throw closed()\n',
    to: '',
    tests: mishaps
  },
  {
    name: 'webhooks: an id stands for one destination',
    file: 'src/webhooks/sender.ts',
    from: 'if (ids.has(destination.id))',
    to: 'if (ids.size < 0)',
    tests: mishaps
  },
  {
    name: 'messages about options show no secrets within objects',
    file: 'src/core/check-options.ts',
    from: 'JSON.stringify(value, withoutSecrets)',
    to: 'JSON.stringify(value)',
    tests: mishaps
  }
]
