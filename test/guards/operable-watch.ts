/** Guards of watches and of the events behind them. */
import type { Guard } from './guard.ts'

const bounds = ['test/watch/bounds.test.ts']
const feed = ['test/watch/ref-feed.test.ts']
const goingOn = ['test/watch/going-on.test.ts']
const watch = ['test/watch/watch.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'watch: goes on from the place of the last update',
    file: 'src/client/running-watch.ts',
    from: "if (cursor !== '') this.#cursor = cursor",
    to: "if (this.#cursor === '') this.#cursor = cursor",
    tests: goingOn
  },
  {
    name: 'watch: the server of a store that was killed knows the events',
    file: 'server-fixture/store/git/request-journal.ts',
    from: '    this.events.load(intent, id)\n',
    to: '',
    tests: goingOn
  },
  {
    name: 'watch: updates are not compressed, because compressed messages may overtake each other',
    file: 'server-fixture/http/session.ts',
    from: 'if (response.updates.length > 0) {',
    to: 'if (response.updates.length < 0) {',
    tests: bounds
  },
  {
    name: 'watch: a server has a bound of watches',
    file: 'server-fixture/service/watch/watches.ts',
    from: "if (this.#open.size >= bounds.maxWatches) throw tooManyWatches('the server', bounds.maxWatches)",
    to: '',
    tests: bounds
  },
  {
    name: 'watch: a session has a bound of watches',
    file: 'server-fixture/service/session-watches.ts',
    from: "if (this.#open.size >= maxWatches) throw tooManyWatches('the session', maxWatches)",
    to: '',
    tests: bounds
  },
  {
    name: 'watch: the first refusal for want of room is told',
    file: 'src/client/running-watch.ts',
    from: "const isRefused = error.is('too_many_watches') && !this.#hasBegun",
    to: 'const isRefused = false',
    tests: bounds,
    mayHang: true
  },
  {
    name: 'watch: ends with its token',
    file: 'server-fixture/service/watch/watcher.ts',
    from: 'if (Date.now() >= this.#watching.endsAtMs) return this.end(expired())',
    to: '',
    tests: bounds
  },
  {
    name: 'watch: goes on with a fresh token',
    file: 'src/client/running-watch.ts',
    from: "if (error.code === 'unauthenticated' && this.#hasFreshToken()) continue",
    to: '',
    tests: bounds
  },
  {
    name: 'watch: a slow application has a bound of moves that wait',
    file: 'src/client/watch-queue.ts',
    from: 'return this.#moves > maxMoves',
    to: 'return false',
    tests: bounds
  },
  {
    name: 'events: have a bound beside their time',
    file: 'server-fixture/store/git/request-journal.ts',
    from: 'const firstEvents = this.events.bound.first',
    to: 'const firstEvents = 0',
    tests: ['test/store/journal-events.test.ts']
  },
  {
    name: 'events: a segment with requests stays for their time',
    file: 'server-fixture/store/git/request-journal.ts',
    from: 'segment < firstEvents && !this.#keyed.has(segment)',
    to: 'segment < firstEvents',
    tests: ['test/store/journal-events.test.ts']
  },
  {
    name: 'watch: nothing is sent to a stream that is full',
    file: 'server-fixture/service/watch/watcher.ts',
    from: "if (page.state !== 'current' || !this.sink.isRead) continue",
    to: "if (page.state !== 'current') continue",
    tests: feed
  },
  {
    name: 'watch: an event that some have heard of is not told again',
    file: 'server-fixture/service/watch/watcher.ts',
    from: 'const rest = events.filter((event) => event.sequence > sequence)',
    to: 'const rest = events',
    tests: feed
  },
  {
    name: 'watch: a gap tells of refs that are gone',
    file: 'src/client/watched-refs.ts',
    from: 'for (const key of this.#unseen) {',
    to: 'for (const key of [] as string[]) {',
    tests: watch
  },
  {
    name: 'watch: a prefix is by whole segments',
    file: 'server-fixture/service/watch/watch-messages.ts',
    from: 'const below = `${prefix}/`',
    to: 'const below = prefix',
    tests: watch
  }
]
