/** Directories that are open do what their interface says. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import * as directoriesOnNode from '../../src/platform/directories.ts'
import type { DirectoryFunctions } from '../../src/platform/platform.ts'
import { temporaryDirectory } from '../files/tree.ts'

const { openDirectory }: DirectoryFunctions = directoriesOnNode
const notExecutable = { isExecutable: false }

test('a link is opened neither as a directory nor as a file, and is replaced by a file', async (context) => {
  const place = await temporaryDirectory(context)
  await mkdir(join(place, 'elsewhere'))
  await writeFile(join(place, 'file'), 'old')
  await symlink('elsewhere', join(place, 'to-directory'))
  await symlink('file', join(place, 'to-file'))
  const directory = await openDirectory(place, { make: false })
  await assert.rejects(directory.open('to-directory'), { code: /ENOTDIR|ELOOP/ })
  await directory.writeFile('to-file', Buffer.from('new'), notExecutable)
  assert.equal(await readFile(join(place, 'file'), 'utf8'), 'old')
  assert.deepEqual((await directory.list()).find(({ name }) => name === 'to-file')?.kind, 'file')
  await directory.close()
})

test('a directory that is open stays the same one when its name goes elsewhere', {
  skip: process.platform !== 'linux'
}, async (context) => {
  const place = await temporaryDirectory(context)
  await mkdir(join(place, 'a'))
  await mkdir(join(place, 'b'))
  const top = await openDirectory(place, { make: false })
  const a = await top.open('a')
  await rename(join(place, 'a'), join(place, 'c'))
  await symlink('b', join(place, 'a'))
  await a.writeFile('file', Buffer.from('x'), notExecutable)
  assert.deepEqual(await readdir(join(place, 'b')), [])
  assert.deepEqual(await readdir(join(place, 'c')), ['file'])
  await a.close()
  await top.close()
})

test('a content that fails leaves neither the file nor a part of it', async (context) => {
  const place = await temporaryDirectory(context)
  const directory = await openDirectory(place, { make: false })
  async function* failing() {
    yield Buffer.from('begin')
    throw new Error('cut')
  }
  await assert.rejects(directory.writeFile('file', failing(), notExecutable), /cut/)
  assert.deepEqual(await readdir(place), [])
  await directory.close()
})
