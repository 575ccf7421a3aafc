/** Where the figures of a server come from: one process, or several whose figures are added up. */
import type { NotableFigures } from './notable.ts'
import type { ServerFigures } from './snapshot.ts'

export interface FigureSource {
  snapshot(): Promise<ServerFigures>
  notable(): Promise<NotableFigures>
  /** Whether somebody watches the repositories. */
  watch(isWatched: boolean): void
}
