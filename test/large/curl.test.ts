/** The commands of docs/protocol.md, "Large blobs", as a reader would type them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { childEnvironment, root } from '../support/child.ts'
import { atEnd, testServer } from '../support/server.ts'
import { content } from '../support/transfers.ts'

const run = promisify(execFile)

/** The commands, each with the lines that its output has among others. */
async function commands(): Promise<{ command: string; output: string[] }[]> {
  const page = await readFile(join(root, 'docs/protocol.md'), 'utf8')
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.trimEnd().split('\n'))
  const found: { command: string; output: string[] }[] = []
  for (const line of blocks.flat()) {
    if (line.startsWith('# ')) found.at(-1)?.output.push(line.slice(2))
    else found.push({ command: line, output: [] })
  }
  return found
}

test('the curl commands of docs/protocol.md do what the page says', async (context) => {
  const { stdout: version } = await run('curl', ['--version'])
  assert.match(version, /HTTP2/, 'curl with HTTP/2 is required')
  const fixture = atEnd(context, await testServer())
  await fixture.client().repository('demo').createRepository()
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-curl-'))
  context.after(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'big.bin'), content)
  const list = await commands()
  assert.ok(list.length > 10, `${list.length} commands`)
  for (const { command, output } of list) {
    const typed = command.replaceAll('http://localhost:4100', fixture.server.http)
    const { stdout } = await run('sh', ['-c', typed], { cwd: directory, env: childEnvironment })
    const lines = stdout.split(/\r?\n/).map((line) => line.trimEnd())
    for (const line of output) assert.ok(lines.includes(line), `${command}\n${line}\n--- came:\n${stdout}`)
  }
  assert.ok((await readFile(join(directory, 'copy.bin'))).equals(content))
  assert.ok((await readFile(join(directory, 'part.bin'))).equals(content.subarray(100, 200)))
})
