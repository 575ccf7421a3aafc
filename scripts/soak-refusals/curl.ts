/** curl: many transfers in one process, one after the other or at the same time. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathOf } from '../find-program.ts'
import { bodyFile, type RefusedRequest, requestsOf, type SoakClient, type Target, tallyOf } from './refusals.ts'
import { runProgram } from './run-program.ts'

const transfersPerProcess = 250

const options: Record<Target['wire'], string> = {
  h2c: 'http2-prior-knowledge',
  TLS: 'http2',
  'HTTP/1.1': 'http1.1'
}

/** A transfer in the form of a configuration of curl; each `next` resets the options. */
function transfer(target: Target, { path, headers, bytes, status }: RefusedRequest, index: number): string {
  // curl 7.88 cannot use a connection of HTTP/2 with prior knowledge again: each transfer has a host of its own.
  const own = target.wire === 'h2c' ? new URL(`http://transfer-${index}.invalid`) : target.url
  const lines = [
    options[target.wire],
    `connect-to = "::${target.url.host}"`,
    'silent',
    'max-time = 60',
    `cacert = "${target.ca}"`,
    `url = "${new URL(path, own)}"`,
    'output = "/dev/null"',
    `data-binary = "@${bodyFile(target.directory, bytes)}"`,
    ...Object.entries(headers).map(([name, value]) => `header = "${name}: ${value}"`),
    // A third of the clients waits for the server before it sends.
    ...(index % 3 === 2 ? ['header = "Expect: 100-continue"'] : []),
    `write-out = "${status} %{http_code} %{exitcode} ${bytes} B %{errormsg}\\n"`
  ]
  return lines.join('\n')
}

/** What is wrong with a line of `write-out`; undefined = the refusal arrived. */
function problemOf(line: string): string | undefined {
  const [expected, status, exit] = line.split(' ')
  return status === expected && exit === '0' ? undefined : `expected status ${line}`
}

async function refuse(target: Target, count: number): Promise<ReturnType<typeof tallyOf>> {
  const curl = pathOf('curl') as string
  const requests = requestsOf(count)
  const answers: (string | undefined)[] = []
  for (let at = 0; at < count; at += transfersPerProcess) {
    const part = requests.slice(at, at + transfersPerProcess)
    const file = join(target.directory, 'curl.conf')
    const parallel = (at / transfersPerProcess) % 2 === 1 ? 'parallel\nparallel-max = 8\n' : ''
    await writeFile(file, parallel + part.map((request, index) => transfer(target, request, index)).join('\nnext\n'))
    const { stdout } = await runProgram(curl, ['--config', file])
    const lines = stdout.trim().split('\n').filter(Boolean)
    answers.push(...part.map((_, index) => (lines[index] === undefined ? 'no answer' : problemOf(lines[index]))))
  }
  return tallyOf(answers)
}

export const curl: SoakClient = {
  name: 'curl',
  weight: 6,
  wires: ['h2c', 'TLS', 'HTTP/1.1'],
  missing: pathOf('curl') === undefined ? 'curl' : undefined,
  refuse
}
