/** The part of picomatch that is used. */
declare module 'picomatch' {
  export default function picomatch(
    glob: string | readonly string[],
    options: { readonly dot: boolean; readonly nonegate: boolean }
  ): (path: string) => boolean
}
