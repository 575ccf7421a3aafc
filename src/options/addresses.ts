/** Forms of addresses, as regular expressions for checks and for the JSON Schema. */

const port = ':([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'
const bracketed = '\\[[0-9A-Fa-f:.]+\\]'
const http = '[Hh][Tt][Tt][Pp][Ss]?://'

/** The endpoint of a client. */
export const endpointPattern = `^(${http}(${bracketed}|[A-Za-z0-9._-]+)(${port})?|[Gg][Rr][Pp][Cc][Ss]?://(${bracketed}|[A-Za-z0-9._-]+)${port})/?$`

const proxyHost = `(${bracketed}|[^\\s/?#@:[\\]]+)(${port})?/?`

/** `environment`, or the URL of a proxy. */
export const proxyPattern = `^(environment|${http}([^/?#\\s]*@)?${proxyHost})$`

/** The same without a user and password. */
export const openProxyPattern = `^(environment|${http}${proxyHost})$`

/** Whether a proxy's URL can be read, besides its form. */
export function isProxy(text: string): boolean {
  return text === 'environment' || URL.canParse(text)
}
