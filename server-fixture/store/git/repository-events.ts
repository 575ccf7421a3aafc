/** Reads the events of the store's repositories. */
import { repositoryNameProblem } from '../../../src/git/repository-name.ts'
import type { EventCursor, EventPage, EventRequest } from '../events.ts'
import { repositoryNotFound } from '../name-page.ts'
import type { RepositoryDirectories } from './repository-directories.ts'
import type { RequestJournal } from './request-journal.ts'

interface EventsContext {
  readonly directories: RepositoryDirectories
  readonly journal: RequestJournal
}

export class RepositoryEvents {
  readonly #context: EventsContext

  constructor(context: EventsContext) {
    this.#context = context
  }

  /** See `EventStore.oldestEvents`. */
  async oldest(repository: string): Promise<EventCursor> {
    const { directories, journal } = this.#context
    const incarnation = repositoryNameProblem(repository) ? undefined : await directories.instanceOf(repository)
    if (incarnation === undefined) throw repositoryNotFound(repository)
    return { incarnation, sequence: journal.events.oldestOf(incarnation) }
  }

  /** See `EventStore.readEvents`. */
  async read(repository: string, { after, limit }: EventRequest): Promise<EventPage> {
    const { events: all } = this.#context.journal
    const found = after && (await all.following(repository, after, limit))
    const last = found?.events.at(-1)
    if (after && found && last) {
      const cursor = { ...after, sequence: last.sequence }
      // Whether the repository is still there is asked once nothing is left to read.
      return { events: found.events, cursor, state: found.hasMore ? 'more' : 'current' }
    }
    const incarnation = repositoryNameProblem(repository)
      ? undefined
      : await this.#context.directories.instanceOf(repository)
    if (after && found && (incarnation === after.incarnation || all.knows(repository, after.incarnation))) {
      return { events: [], cursor: after, state: incarnation === after.incarnation ? 'current' : 'ended' }
    }
    if (incarnation === undefined) throw repositoryNotFound(repository)
    const cursor = { incarnation, sequence: all.positionOf(incarnation) }
    return { events: [], cursor, state: after ? 'gap' : 'current' }
  }
}
