/** The part of yazl that is used. */
declare module 'yazl' {
  interface EntryOptions {
    readonly mtime: Date
    readonly mode: number
    readonly compress?: boolean
  }

  export class ZipFile {
    readonly outputStream: import('node:stream').Readable & { readonly writableNeedDrain: boolean }
    on(event: 'error', listener: (error: Error) => void): this
    addBuffer(content: Uint8Array, path: string, options: EntryOptions): void
    addReadStreamLazy(
      path: string,
      options: EntryOptions,
      open: (give: (error: null, stream: NodeJS.ReadableStream) => void) => void
    ): void
    addEmptyDirectory(path: string, options: EntryOptions): void
    end(): void
  }
}
