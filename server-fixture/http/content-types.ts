/**
 * The content type of a file by its path. Content comes from anybody who may write: a browser must neither guess another
 * type nor run scripts of it, so types with scripts are served as bytes (`nosniff`, WHATWG MIME Sniffing; CSP `sandbox`).
 */
const safeTypes: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  bmp: 'image/bmp',
  csv: 'text/csv; charset=utf-8',
  flac: 'audio/flac',
  gif: 'image/gif',
  gz: 'application/gzip',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  md: 'text/plain; charset=utf-8',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  png: 'image/png',
  tar: 'application/x-tar',
  txt: 'text/plain; charset=utf-8',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
  zip: 'application/zip'
}

/** Headers of content at this path, given as bytes; undefined = content without a path. */
export function contentTypeOf(path: Uint8Array | undefined): Readonly<Record<string, string>> {
  const extension = /\.([a-z0-9]+)$/i.exec(path === undefined ? '' : Buffer.from(path).toString('latin1'))?.[1] ?? ''
  const name = extension.toLowerCase()
  return {
    'content-type': Object.hasOwn(safeTypes, name) ? (safeTypes[name] as string) : 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox'
  }
}
