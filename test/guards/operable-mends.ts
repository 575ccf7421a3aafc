/** Guards of checkouts, events and health against what others send, and against kills and slow disks. */
import type { Guard } from './guard.ts'

const events = ['test/store/journal-events.test.ts']
const health = ['test/operations/health.test.ts']
const log = ['test/operations/access-log.test.ts']

export const guards: readonly Guard[] = [
  {
    name: 'of an entry that is too large nothing is read',
    file: 'server-fixture/store/git/pack-entries.ts',
    from: 'if (end - start <= maxDeflatedBytes(maxBytes)) wanted',
    to: 'wanted',
    tests: ['test/store/deflated-blobs.test.ts']
  },
  {
    name: 'a deflated content that was not asked for is refused',
    file: 'src/client/files/content-reader.ts',
    from: 'if (deflated !== undefined && !this.#acceptDeflated) throw',
    to: 'if (false) throw',
    tests: ['test/files/content-reader.test.ts']
  },
  {
    name: 'a content that inflates to more than an answer is read in parts',
    file: 'src/client/files/content-reader.ts',
    from: ' && size <= this.#calls.invoker.options.maxResponseBytes',
    to: '',
    tests: ['test/files/content-reader.test.ts']
  },
  {
    name: 'a thread that has died takes no batch',
    file: 'src/platform/file-threads.ts',
    from: '    if (this.#ended) return Promise.reject(this.#ended)\n',
    to: '',
    tests: ['test/platform/file-threads.test.ts'],
    mayHang: true
  },
  {
    name: 'an event that came late is there once after a kill',
    file: 'server-fixture/store/git/request-journal.ts',
    from: 'if (this.#told.delete(id) || this.events.add(intent, id)) return',
    to: 'if (this.events.add(intent, id)) return',
    tests: events
  },
  {
    name: 'a deleted repository is forgotten with its last event',
    file: 'server-fixture/store/git/journal-events.ts',
    from: '      this.#places.delete(instance)\n',
    to: '',
    tests: events
  },
  {
    name: 'a store is looked at once at a time',
    file: 'server-fixture/health/health.ts',
    from: 'last.isPending || ',
    to: '',
    tests: health
  },
  {
    name: 'a disk that hangs is told in time',
    file: 'server-fixture/health/health.ts',
    from: 'checks.map((check) => this.#inTime(check))',
    to: 'checks',
    tests: health,
    mayHang: true
  },
  {
    name: 'a line of the access log has no name as long as a message',
    file: 'server-fixture/access-log/access-log.ts',
    from: 'line.repository?.slice(0, maxTextLength)',
    to: 'line.repository',
    tests: log
  },
  {
    name: 'names as long as messages are not kept for the dashboard',
    file: 'server-fixture/metrics/notable.ts',
    from: 'call.repository.length > maxNameLength',
    to: 'call.repository.length < 0',
    tests: log
  },
  {
    name: 'a tracer that throws costs no answer',
    file: 'server-fixture/tracing/server-tracing.ts',
    from: "  } catch (error) {\n    diag.error('blobwire: a span could not be made', error)\n  }",
    to: '  } finally {\n    diag.error\n  }',
    tests: ['test/operations/tracer-that-throws.test.ts'],
    mayHang: true
  },
  {
    name: 'a thread that ends before it begins is not waited for',
    file: 'src/platform/file-threads.ts',
    from: "      worker.once('exit', reject)\n",
    to: '',
    tests: ['test/platform/file-threads.test.ts']
  },
  {
    name: 'whoever begins to watch the dashboard changes no rate',
    file: 'server-fixture/admin/feed.ts',
    from: 'else if (this.#latest !== undefined) watcher(this.#latest)',
    to: 'else void this.#tell()',
    tests: ['test/operations/feed.test.ts']
  }
]
