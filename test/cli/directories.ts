/** Makes directories for tests of commands. */
import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { largeContent } from '../support/large-blobs.ts'

/** An empty directory of the test. */
export async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-examples-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Writes files by path. */
export async function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
}

/** Files of every kind: large, small, empty, executable, linked, with odd names. */
export async function makeOddDirectory(context: TestContext): Promise<string> {
  const directory = await temporaryDirectory(context)
  await writeFiles(directory, {
    'large.bin': largeContent(300_000),
    'deep/er/same': largeContent(300_000),
    'deep/other': largeContent(100_001, 2),
    'just small': largeContent(64 * 1024, 3),
    'Ünïcödé/日本語': 'text',
    empty: '',
    run: '#!/bin/sh\n',
    'we"ird\\na\tme': 'x',
    __proto__x: 'x',
    'debug.log': 'left out',
    'deep/debug.log': 'left out',
    'build/output': 'left out'
  })
  await writeFile(Buffer.concat([Buffer.from(`${directory}/raw`), Buffer.from([0xff])]), largeContent(70_000, 4))
  await chmod(join(directory, 'run'), 0o755)
  await symlink('large.bin', join(directory, 'link'))
  await symlink('../nowhere', join(directory, 'deep', 'dangling'))
  return directory
}

/** All that a repository keeps of a directory: a line for each file and link, with mode and content. */
export async function listing(directory: string, leftOut = /^$/): Promise<string[]> {
  const lines: string[] = []
  const root = Buffer.from(`${directory}/`)
  const waiting: Buffer[] = [Buffer.alloc(0)]
  // Node 22 cannot list names as bytes and recursively.
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const entry of await readdir(Buffer.concat([root, below]), { encoding: 'buffer' })) {
      const name = Buffer.concat([below, entry])
      const disk = Buffer.concat([root, name])
      const stats = await lstat(disk)
      if (stats.isDirectory()) waiting.push(Buffer.concat([name, Buffer.from('/')]))
      if (stats.isDirectory() || leftOut.test(name.toString())) continue
      const content = stats.isSymbolicLink() ? await readlink(disk, { encoding: 'buffer' }) : await readFile(disk)
      const kind = stats.isSymbolicLink() ? 'link' : (stats.mode & 0o100) === 0 ? 'file' : 'executable'
      lines.push(`${name.toString('latin1')} ${kind} ${createHash('sha256').update(content).digest('hex')}`)
    }
  }
  return lines.sort()
}
