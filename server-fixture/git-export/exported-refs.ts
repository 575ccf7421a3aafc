/**
 * The refs of an export, all in its file `packed-refs`, so that Git sees all moves of a refresh at once or none. The first
 * line of the file tells the place in the store's events of which the refs are true: Git ignores traits there that it does
 * not know (refs/packed-backend.c), so that refs and place can never differ.
 */
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventCursor } from '../store/events.ts'
import { fsyncDirectory, isMissing } from '../store/git/fsync.ts'
import { compareNames } from '../store/name-page.ts'
import { bytesOfName, linesOf } from '../store/ref-bytes.ts'

/** A ref in the file. */
export interface ExportedRef {
  readonly oid: string
  /** The object that a tag leads to; undefined = the ref points to no tag. */
  readonly peeled?: string | undefined
}

/** Refs by name, and where they are true. */
export interface ExportedRefs {
  readonly cursor: EventCursor
  readonly refs: ReadonlyMap<string, ExportedRef>
}

const fileName = 'packed-refs'
/** Longer than any first line. */
const firstLineBytes = 512
const trait = 'blobwire='
const firstLine = new RegExp(`^# pack-refs with:.* ${trait}([^ :]+):(\\d+) `)

/** The place alone, without reading all refs; undefined = nothing is exported, or Git has written the file anew. */
export async function exportedCursor(gitDir: string): Promise<EventCursor | undefined> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(join(gitDir, fileName))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(firstLineBytes), 0, firstLineBytes, 0)
    return cursorOf(buffer.toString('latin1', 0, bytesRead))
  } finally {
    await file.close()
  }
}

function cursorOf(text: string): EventCursor | undefined {
  const [, incarnation, sequence] = firstLine.exec(text) ?? []
  return incarnation === undefined ? undefined : { incarnation, sequence: Number(sequence) }
}

/** Undefined = as for `exportedCursor`. */
export async function readExportedRefs(gitDir: string): Promise<ExportedRefs | undefined> {
  let text: Buffer
  try {
    text = await readFile(join(gitDir, fileName))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  const [first = '', ...lines] = linesOf(text)
  const cursor = cursorOf(first)
  if (cursor === undefined) return undefined
  const refs = new Map<string, ExportedRef>()
  let last = ''
  for (const line of lines) {
    if (line.startsWith('^')) refs.set(last, { oid: refs.get(last)?.oid ?? '', peeled: line.slice(1) })
    else if (line !== '') {
      const space = line.indexOf(' ')
      last = line.slice(space + 1)
      refs.set(last, { oid: line.slice(0, space) })
    }
  }
  return { cursor, refs }
}

/** Larger files are not looked through. */
const maxSearchBytes = 1024 * 1024

/** Whether the export has all that these refer to, as far as that is seen at once: refs point to them. */
export async function hasTips(gitDir: string, oids: readonly string[]): Promise<boolean> {
  const { size } = await stat(join(gitDir, fileName)).catch(() => ({ size: Number.POSITIVE_INFINITY }))
  if (size > maxSearchBytes) return false
  const tips = new Set<string>()
  for (const { oid } of (await readExportedRefs(gitDir))?.refs.values() ?? []) tips.add(oid)
  return oids.every((oid) => tips.has(oid))
}

/** Replaces all refs at once, durably. */
export async function writeExportedRefs(gitDir: string, { cursor, refs }: ExportedRefs): Promise<void> {
  const names = [...refs.keys()].sort(compareNames)
  const lines = names.map((name) => {
    const { oid, peeled } = refs.get(name) as ExportedRef
    return peeled === undefined ? `${oid} ${name}\n` : `${oid} ${name}\n^${peeled}\n`
  })
  const { incarnation, sequence } = cursor
  const first = `# pack-refs with: peeled fully-peeled sorted ${trait}${incarnation}:${sequence} \n`
  await replaceFile(gitDir, fileName, bytesOfName(first + lines.join('')))
}

/** HEAD as the file has it. */
export async function readExportedHead(gitDir: string): Promise<string | undefined> {
  try {
    return await readFile(join(gitDir, 'HEAD'), 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Writes a file aside first: a reader, and a process that is killed, sees the old one or the new one. */
export async function replaceFile(gitDir: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(gitDir, name)
  await writeFile(`${path}.new`, content, { flush: true })
  await rename(`${path}.new`, path)
  await fsyncDirectory(gitDir)
}
