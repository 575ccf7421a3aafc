/**
 * The hook `proc-receive` (githooks(5)), by which `git receive-pack` asks the server to move refs, and moves none itself. Git
 * starts a script, which passes the questions on over a descriptor that it has inherited, and the answers back.
 */
import { access, chmod, constants, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { BlobwireError } from '../../src/core/error.ts'
import { bytesOfName } from '../store/ref-bytes.ts'
import type { RefMove } from '../store/store.ts'
import { flushPacket, PacketLines, packet } from './packet-lines.ts'
import { readCommand } from './push-command.ts'

/** The descriptor of the server's end. A command in the background has no standard input of its own (POSIX sh, 2.9.3). */
const script = `#!/bin/sh
exec 4<&0
cat <&4 >&3 &
exec cat <&3
`

/** Longest reason of a refusal, which Git shows in one line. */
const maxReasonLength = 1000

/** Writes the hook into a directory of its own, and returns that. */
export async function writeHook(parent: string): Promise<string> {
  const directory = join(parent, 'hooks')
  const path = join(directory, 'proc-receive')
  await mkdir(directory)
  await writeFile(path, script)
  await chmod(path, 0o700)
  await checkExecutable(path)
  return directory
}

/** Git takes a hook that it cannot run for none. @throws BlobwireError `failed_precondition` */
export async function checkExecutable(path: string): Promise<void> {
  try {
    await access(path, constants.X_OK)
  } catch (cause) {
    const message =
      'the server takes no pushes: the file system of its repositories, or of --git-cache, runs no programs (noexec)'
    throw new BlobwireError({ code: 'failed_precondition', message, cause })
  }
}

/** The refs that a push wants to move. */
export interface Push {
  readonly commands: readonly RefMove[]
  /** All of them or none. */
  readonly atomic: boolean
}

/** Moves refs; returns for each command, in order, why its ref is not moved. Never rejects. */
export type MoveRefs = (push: Push) => Promise<readonly (string | undefined)[]>

/** Answers the hook, where Git starts it. Resolves when all is answered, or the channel has ended. */
export function answerHook(channel: Duplex, move: MoveRefs): Promise<void> {
  return new Promise((resolve) => {
    const lines = new PacketLines()
    const commands: RefMove[] = []
    let atomic = false
    let lists = 0
    let isMoving = false
    const onLine = (line: Buffer | undefined) => {
      if (line !== undefined) {
        const command = lists === 1 ? readCommand(line) : undefined
        if (lists === 0) atomic = /[\0 ]atomic(?: |\n|$)/.test(line.toString('latin1'))
        if (command) commands.push(command)
        return
      }
      lists++
      // Push options are not asked for: nothing of the server depends on them.
      if (lists === 1) channel.write(Buffer.concat([packet(`version=1${atomic ? '\0atomic' : ''}\n`), flushPacket]))
      if (lists !== 2) return
      isMoving = true
      void move({ commands, atomic }).then((reasons) => {
        channel.end(Buffer.concat([...commands.map((command, index) => report(command, reasons[index])), flushPacket]))
        resolve()
      })
    }
    const stop = () => {
      if (!isMoving) resolve()
    }
    channel.on('error', stop).on('close', stop).on('end', stop)
    channel.on('data', (chunk: Buffer) => {
      lines.push(chunk)
      try {
        for (const line of lines.read()) onLine(line)
      } catch {
        channel.destroy()
      }
    })
  })
}

function report({ name }: RefMove, reason: string | undefined): Buffer {
  if (reason === undefined) return packet(Buffer.concat([Buffer.from('ok '), bytesOfName(name)]))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line of Git's protocol, shown on a terminal
  const line = reason.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, maxReasonLength)
  return packet(Buffer.concat([Buffer.from('ng '), bytesOfName(name), Buffer.from(` ${line}`)]))
}
