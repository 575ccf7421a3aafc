/** The messages between the primary process and its workers. All but connections are JSON. */
import type { Readiness } from '../health/health.ts'
import type { NotableFigures } from '../metrics/notable.ts'
import type { ServerFigures } from '../metrics/snapshot.ts'

/** The answers, by question. The primary asks a worker for its own figures; a worker asks the primary for those of all. */
export interface Answers {
  readonly figures: ServerFigures
  readonly notable: NotableFigures
  readonly readiness: Readiness
}

/** Port of a listener that workers share. */
export type SharedListener = 'http' | 'grpc'

interface QuestionMessage {
  readonly kind: 'question'
  readonly id: number
  readonly about: keyof Answers
}

interface AnswerMessage {
  readonly kind: 'answer'
  readonly id: number
  readonly answer: Answers[keyof Answers]
}

/** Whether somebody watches the dashboard: of one worker, or of the whole server. */
interface WatchMessage {
  readonly kind: 'watch'
  readonly isWatched: boolean
}

/** The first message to a worker. */
export interface StartMessage {
  readonly kind: 'start'
  /** From 0; a worker that replaces another has its place. */
  readonly place: number
  readonly ports: Readonly<Record<SharedListener, number>>
}

/** With a socket, unless its client has gone meanwhile. */
export interface ConnectionMessage {
  readonly kind: 'connection'
  readonly id: number
  readonly listener: SharedListener
}

export type ToWorker =
  | StartMessage
  | ConnectionMessage
  | QuestionMessage
  | AnswerMessage
  | WatchMessage
  | { readonly kind: 'drain' | 'reopen' }

export type FromWorker =
  | QuestionMessage
  | AnswerMessage
  | WatchMessage
  /** `draining`: the worker takes no more connections, and ends. */
  | { readonly kind: 'ready' | 'draining' }
  /** The last figures of a worker that ends in good order. */
  | { readonly kind: 'last'; readonly figures: ServerFigures }
  /** The worker has the connection, or takes no more; later, the connection has ended. */
  | { readonly kind: 'taken' | 'refused' | 'ended'; readonly id: number }
