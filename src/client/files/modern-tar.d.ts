/** The part of modern-tar that is used. */
declare module 'modern-tar' {
  export interface TarHeader {
    readonly name: string
    readonly size: number
    readonly mode: number
    readonly mtime: Date
    readonly type: 'file' | 'directory' | 'symlink'
    readonly linkname?: string
    readonly uname: string
    readonly gname: string
  }

  export function createTarPacker(): {
    readonly readable: ReadableStream<Uint8Array>
    readonly controller: { add(header: TarHeader): unknown }
  }
}
