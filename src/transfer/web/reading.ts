/** In the place of `transfer/reading.ts`: downloads are loaded when one is read. */
import type { DownloadInfo } from '../download-types.ts'
import type { ReadingContext, ReadingRequest, Reading as Replaced } from '../reading.ts'

export type { ReadingContext, ReadingRequest } from '../reading.ts'

/** The interface of the replaced class, as the application's download uses it. */
type Interface = { readonly [Name in Exclude<keyof Replaced, 'handleEvent'>]: Replaced[Name] }

export class Reading implements Interface {
  readonly #given: readonly [ReadingRequest, ReadingContext]
  #loading: Promise<Replaced> | undefined
  #loaded: Replaced | undefined
  /** How it was ended before it was loaded. */
  #ended: 'end' | 'close' | undefined

  constructor(...given: readonly [ReadingRequest, ReadingContext]) {
    this.#given = given
  }

  get info(): DownloadInfo {
    if (this.#loaded === undefined) throw new Error('the download has no answer yet')
    return this.#loaded.info
  }

  async find(): Promise<DownloadInfo> {
    return (await this.#load()).find()
  }

  async next(): Promise<Uint8Array | undefined> {
    return (await this.#load()).next()
  }

  end(): void {
    this.#ended ??= 'end'
    this.#loaded?.end()
  }

  close(): void {
    this.#ended = 'close'
    this.#loaded?.close()
  }

  #load(): Promise<Replaced> {
    this.#loading ??= import('../reading.ts').then(
      (replaced) => {
        // Not in the parameters: TypeScript takes the name there for that of this class.
        this.#loaded = new replaced.Reading(...this.#given)
        if (this.#ended !== undefined) this.#loaded[this.#ended]()
        return this.#loaded
      },
      (error) => {
        this.#loading = undefined
        throw error
      }
    )
    return this.#loading
  }
}
