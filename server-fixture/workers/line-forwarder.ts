/** Forwards what a worker writes, line by line: several processes write to one pipe or terminal. */
import type { Readable } from 'node:stream'
import type { LineWriter } from '../access-log/line-writer.ts'

/** A longer line goes on in pieces. */
const maxLineLength = 1024 * 1024

export function forwardLines(from: Readable, to: Pick<LineWriter, 'write'>): void {
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (text: string) => {
    rest += text
    const end = rest.length > maxLineLength ? rest.length : rest.lastIndexOf('\n') + 1
    if (end === 0) return
    for (const line of rest.slice(0, end).match(/[^\n]*\n|[^\n]+$/g) ?? []) to.write(line)
    rest = rest.slice(end)
  })
  from.once('end', () => {
    if (rest !== '') to.write(`${rest}\n`)
  })
}
