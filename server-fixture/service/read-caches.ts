/** Kept between calls, so that reading goes on where it was; without it, everything is read again. */
import { KeptWalks } from './kept-walks.ts'
import { TreeCache } from './tree-cache.ts'

export class ReadCaches {
  readonly trees = new TreeCache()
  readonly walks = new KeptWalks()

  /** Forgets a repository that is deleted. */
  forget(repository: string): void {
    this.trees.forget(repository)
    this.walks.forget(repository)
  }
}
