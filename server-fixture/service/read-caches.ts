/** Kept between calls, so that reading goes on where it was; without it, everything is read again. */

import { HeadCache } from './head-cache.ts'
import { KeptWalks } from './kept-walks.ts'
import { TreeCache } from './tree-cache.ts'

export class ReadCaches {
  readonly trees = new TreeCache()
  readonly heads = new HeadCache()
  readonly walks = new KeptWalks()
}
