/** The parts of the Git store. */
import type { LockFile } from './lock-file.ts'
import type { OpenerDependencies } from './repository-opener.ts'

/** The parts that a store is made of. */
export interface GitStoreDependencies extends OpenerDependencies {
  readonly lock: LockFile
  readonly uploadsPath: string
  readonly path: string
}
