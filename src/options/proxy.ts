/** The form of a proxy's URL. */

/** Whether the text is `environment` or `http(s)://[user:password@]host[:port]`. */
export function isProxy(text: string): boolean {
  if (text === 'environment') return true
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== ''
  return isHttp && (url.pathname === '/' || url.pathname === '') && url.search === '' && url.hash === ''
}
