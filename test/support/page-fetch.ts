/** `fetch` as a page of an origin has it: preflights, and answers that scripts must not read. Source: WHATWG Fetch. */

const simpleMethods = new Set(['GET', 'HEAD', 'POST'])
const simpleTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])
const simpleHeaders = new Set(['accept', 'accept-language', 'content-language', 'range'])
const readableHeaders = new Set([
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma'
])

/** The preflights that a page has sent, and its `fetch`. */
export interface PageFetch {
  readonly preflights: Headers[]
  readonly fetch: typeof globalThis.fetch
}

const listOf = (headers: Headers, name: string) =>
  (headers.get(name) ?? '').split(',').map((item) => item.trim().toLowerCase())

/** A page of this origin, with no cache for preflights. `fetch` throws the TypeError of browsers where CORS refuses. */
export function pageFetch(origin: string): PageFetch {
  const preflights: Headers[] = []
  const check = (headers: Headers) => {
    const allowed = headers.get('access-control-allow-origin')
    if (allowed !== origin && allowed !== '*') throw new TypeError(`not allowed: ${allowed}`)
  }
  const fetchAsPage = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    const asked = [...request.headers.keys()].filter((name) => {
      if (name !== 'content-type') return !simpleHeaders.has(name)
      return !simpleTypes.has(request.headers.get(name)?.split(';', 1)[0] ?? '')
    })
    const headers = new Headers(request.headers)
    headers.set('origin', origin)
    if (asked.length > 0 || !simpleMethods.has(request.method)) {
      const { url, signal } = request
      const asking = {
        origin,
        'access-control-request-method': request.method,
        ...(asked.length > 0 ? { 'access-control-request-headers': asked.sort().join(',') } : {})
      }
      const preflight = await fetch(url, { method: 'OPTIONS', headers: asking, signal })
      preflights.push(preflight.headers)
      if (!preflight.ok) throw new TypeError(`the preflight has status ${preflight.status}`)
      check(preflight.headers)
      const allowed = listOf(preflight.headers, 'access-control-allow-headers')
      for (const name of asked) if (!allowed.includes(name)) throw new TypeError(`${name} is not allowed`)
      const methods = listOf(preflight.headers, 'access-control-allow-methods')
      if (!simpleMethods.has(request.method) && !methods.includes(request.method.toLowerCase())) {
        throw new TypeError(`${request.method} is not allowed`)
      }
    }
    const answer = await fetch(new Request(request, { headers }))
    check(answer.headers)
    const exposed = listOf(answer.headers, 'access-control-expose-headers')
    const readable = [...answer.headers].filter(([name]) => readableHeaders.has(name) || exposed.includes(name))
    return new Response(answer.body, { status: answer.status, headers: readable })
  }
  return { preflights, fetch: fetchAsPage }
}
