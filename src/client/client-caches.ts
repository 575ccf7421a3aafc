/** The facts about a server that a client keeps, so that it need not ask again. */
import type { ObjectFormat } from '../git/oid.ts'
import { defaultLimits, type Limits } from '../schema/default-limits.ts'
import { KnownOids } from './known-oids.ts'

const maxCached = 10_000

/** A map that drops the value that was set longest ago when it has too many. */
class BoundedMap<Value> extends Map<string, Value> {
  override set(key: string, value: Value): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > maxCached) this.delete(this.keys().next().value as string)
    return this
  }
}

/** The caches of one client. */
export class ClientCaches {
  /** Limits of the server; default ones until its capabilities are known. */
  limits: Limits = { ...defaultLimits }
  /** The limits are the server's own. */
  knowsLimits = false
  /** Object format by repository. */
  readonly formats: Map<string, ObjectFormat> = new BoundedMap<ObjectFormat>()
  /** Objects that repositories hold. */
  readonly known = new KnownOids()
  /** Whether contents unknown here were new to the repository when the client last had reason to know, by repository. */
  readonly takesNew: Map<string, boolean> = new BoundedMap<boolean>()
  /** Of the latest large upload; 0 = there was none. */
  uploadBytesPerSecond = 0

  /** Takes over the limits of the server; a limit of 0 was left out and has its default. */
  setLimits(limits: Limits | undefined): void {
    const set = Object.entries(limits ?? {}).filter(([, value]) => value > 0)
    this.limits = { ...defaultLimits, ...Object.fromEntries(set) }
    this.knowsLimits = true
  }

  /** Forgets a repository that was deleted: another one may get its name. */
  forget(repository: string): void {
    this.formats.delete(repository)
    this.known.forget(repository)
    this.takesNew.delete(repository)
  }
}
