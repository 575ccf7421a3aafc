/** Decodes commits that name the encoding of their texts. Source: "i18n.commitEncoding" in git-config(1). */
import { decodeLatin1 } from '../platform/bytes.ts'
import type { NativeBytes } from '../platform/platform.ts'

/** The label means windows-1252 to a TextDecoder. */
const latin1 = /^(?:iso[-_]?8859-1|latin-?1|l1)$/
/** A TextDecoder takes these for windows-1252, too; Git leaves their other bytes as they are. */
const ascii = /^(?:us-)?ascii$|^ansi_x3\.4/
/** Names that programs write, and that are no labels of the Encoding Standard. */
const labels: Readonly<Record<string, string>> = { cp932: 'shift_jis', cp936: 'gbk', cp949: 'euc-kr', cp950: 'big5' }

/** One for each label that there is. */
const decoders = new Map<string, TextDecoder>()

/**
 * The text; undefined where the platform does not know the encoding, the bytes are not in it, or it is UTF-8. Runtimes
 * without the data of all encodings know few.
 */
export function decodeText(bytes: NativeBytes, encoding: string): string | undefined {
  const name = encoding.toLowerCase()
  if (latin1.test(name)) return decodeLatin1(bytes)
  if (ascii.test(name) || /^utf-?8$/.test(name)) return undefined
  try {
    const label = labels[name] ?? name
    let decoder = decoders.get(label)
    if (decoder === undefined) {
      decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true })
      decoders.set(label, decoder)
    }
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
