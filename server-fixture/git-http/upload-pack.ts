/** `git upload-pack`: clones and fetches (gitprotocol-http(5), gitprotocol-v2(5)). */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readBody } from '../http/request-body.ts'
import { Charge } from '../memory-budget.ts'
import { type GitRequest, type GitService, isVersion2, serviceLine, uncached } from './git-request.ts'
import type { ProcessSlots, Slot } from './process-slots.ts'
import { answerWith, type ServiceAnswer, started } from './service-answer.ts'
import { ServiceProcess } from './service-process.ts'

/** After decompression; names of all refs of a large repository, and as much again. */
const maxRequestBytes = 16 * 1024 * 1024

/**
 * A caller may read any object whose oid it knows, as with the API; version 2 of the protocol does not ask for more either.
 * Packs are read whoever owns them: the server reads no configuration but its own, and runs no hooks.
 */
const configuration = {
  'uploadpack.allowFilter': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'safe.directory': '*'
}

const types = 'application/x-git-upload-pack'

export const uploadPack: GitService = {
  access: 'read',
  advertise: (request) =>
    run(request, {
      slots: request.git.light,
      // Version 2 tells no refs yet.
      wants: isVersion2(request.protocol) ? [] : undefined,
      isShort: isVersion2(request.protocol),
      flags: ['--http-backend-info-refs'],
      contentType: `${types}-advertisement`,
      prologue: isVersion2(request.protocol) ? undefined : serviceLine('git-upload-pack')
    }),
  async serve(request) {
    const { exchange, memory, git, bodyTimeoutMs } = request
    const charge = new Charge(memory.of(exchange.connection))
    try {
      // All of it: a client that sends slowly must not hold a process.
      const input = await readBody(exchange, { maxBytes: maxRequestBytes, timeoutMs: bodyTimeoutMs, charge })
      const wants = wantsOf(input)
      const isShort = wants === undefined
      const slots = isShort ? { slots: git.light } : { slots: git.packs, turns: git.turns }
      await run(request, { ...slots, wants, isShort, flags: [], contentType: `${types}-result`, input })
    } finally {
      charge.release()
    }
  }
}

/** The first packet line of a request of version 2 names its command. */
const asksForRefs = /^[0-9a-f]{4}command=ls-refs\n/
/** A line begins with its length (gitprotocol-pack(5), "Packfile Negotiation"). */
const want = /[0-9a-f]{4}want ([0-9a-f]{40,64})\b/g

/** The objects that a fetch asks for by their oids; undefined = the request asks for refs. */
function wantsOf(body: Uint8Array): string[] | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
  return asksForRefs.test(text) ? undefined : Array.from(text.matchAll(want), ([, oid]) => oid as string)
}

interface Run extends Omit<ServiceAnswer, 'directory'> {
  /** As far as the request knows the objects that it wants, it waits for no others; undefined = all count. */
  readonly wants: readonly string[] | undefined
  readonly slots: ProcessSlots
  /** To begin; undefined = at once. */
  readonly turns?: ProcessSlots
  readonly flags: readonly string[]
  /** Whether it tells the capabilities or refs of version 2, which several requests may be told together. */
  readonly isShort: boolean
}

/** Longer requests are not compared with others. */
const maxSharedInput = 4096

async function run(request: GitRequest, { slots, turns, wants, flags, isShort, ...answer }: Run): Promise<void> {
  const { git, repository, transfer, protocol, idleTimeoutMs } = request
  // For the store and for others, as long as these take.
  transfer.hold()
  const directory =
    wants === undefined
      ? await git.directoryOf(repository, transfer.signal)
      : await git.directoryWith(repository, wants, transfer.signal)
  const timeout = `--timeout=${Math.ceil(idleTimeoutMs / 1000)}`
  const args = ['upload-pack', '--stateless-rpc', '--strict', timeout, ...flags, directory]
  const variables = protocol === undefined ? {} : { GIT_PROTOCOL: protocol }
  const start = () => started(() => new ServiceProcess({ program: git.program }, args, { configuration, variables }))
  const { input = new Uint8Array() } = answer
  if (isShort && input.length <= maxSharedInput) {
    const key = JSON.stringify([args, protocol, Buffer.from(input).toString('latin1')])
    // Capabilities depend on the program and on the configuration alone.
    const stamp = flags.length > 0 ? await stampOf(join(directory, 'config')) : undefined
    const body = await git.shared.get(key, { start, input, timeoutMs: git.timeoutMs, directory, stamp })
    transfer.signal.throwIfAborted()
    if (body !== undefined) return sendWhole(request, answer.contentType, body)
  }
  const slot = await slots.acquire(transfer.signal)
  let turn: Slot | undefined
  try {
    turn = await turns?.acquire(transfer.signal)
    transfer.free()
    const onSlow = () => {
      slot.park()
      turn?.release()
    }
    await answerWith(request, start, { ...answer, directory, onSlow })
  } finally {
    turn?.release()
    slot.release()
  }
}

/** Of a file: another one after each change. */
async function stampOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found && `${found.ino} ${found.size} ${found.mtimeMs}`
}

function sendWhole({ exchange, requestId }: GitRequest, contentType: string, body: Buffer): void {
  const headers = { ...uncached, 'content-type': contentType, 'content-length': String(body.length) }
  exchange.respond(200, { ...headers, 'x-request-id': requestId }, body)
}
