/** Python: http.client over HTTP/1.1, httpx over HTTP/2. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pathsOf } from '../find-program.ts'
import { bodyFile, requestsOf, type SoakClient, tallyOf, type Wire } from './refusals.ts'
import { runProgram } from './run-program.ts'

const script = fileURLToPath(new URL('refuse.py', import.meta.url))

/** A machine may have several, of which one has the library. */
const withModules = (modules: string) =>
  pathsOf('python3').find((path) => spawnSync(path, ['-c', `import ${modules}`]).status === 0)

function python(
  name: string,
  options: { modules: string; wires: Wire[]; weight: number; lacking: string }
): SoakClient {
  const path = withModules(options.modules)
  return {
    name,
    weight: options.weight,
    wires: options.wires,
    missing: path === undefined ? options.lacking : undefined,
    async refuse({ url, wire, ca, directory }, count) {
      const requests = requestsOf(count).map(({ bytes, ...rest }) => ({ ...rest, file: bodyFile(directory, bytes) }))
      const file = join(directory, 'python.json')
      // http.client knows HTTP/1.1 alone, with and without TLS.
      const spoken = name === 'Python http.client' ? 'HTTP/1.1' : wire
      await writeFile(file, JSON.stringify({ url: String(url), wire: spoken, ca, requests }))
      const { stdout, stderr } = await runProgram(path as string, [script, file])
      const lines = stdout.trim().split('\n')
      return tallyOf(requests.map((_, index) => (lines[index] === 'ok' ? undefined : (lines[index] ?? stderr))))
    }
  }
}

export const pythons: readonly SoakClient[] = [
  python('Python http.client', { modules: 'http.client', wires: ['TLS', 'HTTP/1.1'], weight: 5, lacking: 'python3' }),
  python('Python httpx', {
    modules: 'httpx, h2',
    wires: ['h2c', 'TLS'],
    weight: 2,
    lacking: 'python3 with httpx and h2 (Debian: python3-httpx python3-h2)'
  })
]
