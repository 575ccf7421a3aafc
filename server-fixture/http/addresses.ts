/**
 * The paths below `/v1/repositories/`. Names of repositories may have slashes, plain or as %2F; a name with a segment
 * `files` needs %2F, because the first such segment of a path begins the address of a file.
 */

/** The blob, file or upload that a path names. */
export type Address =
  | { readonly kind: 'blob'; readonly repository: string; readonly oid: string }
  | { readonly kind: 'file'; readonly repository: string; readonly revision: string; readonly path: Uint8Array }
  | { readonly kind: 'upload'; readonly repository: string; readonly uploadId: string | undefined }

const forms = [
  ['file', /^\/v1\/repositories\/(.+?)\/files\/([^/]+)\/(.+)$/],
  ['upload', /^\/v1\/repositories\/(.+)\/uploads(?:\/([^/]+))?$/],
  ['blob', /^\/v1\/repositories\/(.+)\/blobs\/([^/]+)$/]
] as const

/** The bytes of a text with percent-encoding. What is no valid encoding stands for itself. */
function bytesOf(text: string): Buffer {
  const decoded = text.replace(/%([0-9a-f]{2})/gi, (_match, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(decoded, 'latin1')
}

function textOf(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // No valid percent-encoding: the check of names refuses it.
    return text
  }
}

/** Undefined = another route. */
export function addressOf(pathAndQuery: string): Address | undefined {
  const path = pathAndQuery.split('?', 1)[0] ?? ''
  for (const [kind, form] of forms) {
    const [, name, second = '', third = ''] = form.exec(path) ?? []
    if (name === undefined) continue
    const repository = textOf(name)
    if (kind === 'upload') return { kind, repository, uploadId: second === '' ? undefined : textOf(second) }
    if (kind === 'blob') return { kind, repository, oid: textOf(second) }
    return { kind, repository, revision: textOf(second), path: bytesOf(third) }
  }
  return undefined
}
