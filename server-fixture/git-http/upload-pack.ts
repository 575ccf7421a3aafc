/** `git upload-pack`: clones and fetches (gitprotocol-http(5), gitprotocol-v2(5)). */

import { readBody } from '../http/request-body.ts'
import { Charge } from '../memory-budget.ts'
import { type GitRequest, type GitService, isVersion2, serviceLine } from './git-request.ts'
import type { ProcessSlots } from './process-slots.ts'
import { answerWith, type ServiceAnswer } from './service-answer.ts'
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

export const uploadPack: GitService = {
  access: 'read',
  advertise: (request) =>
    run(request, {
      slots: request.git.light,
      flags: ['--http-backend-info-refs'],
      contentType: 'application/x-git-upload-pack-advertisement',
      prologue: isVersion2(request.protocol) ? undefined : serviceLine('git-upload-pack')
    }),
  async serve(request) {
    const { exchange, memory, git, bodyTimeoutMs } = request
    const charge = new Charge(memory.of(exchange.connection))
    try {
      // All of it: a client that sends slowly must not hold a process.
      const input = await readBody(exchange, { maxBytes: maxRequestBytes, timeoutMs: bodyTimeoutMs, charge })
      const slots = asksForRefs(input) ? git.light : git.packs
      await run(request, { slots, flags: [], contentType: 'application/x-git-upload-pack-result', input })
    } finally {
      charge.release()
    }
  }
}

/** The first packet line of a request of version 2 names its command. */
const asksForRefs = (body: Uint8Array) => Buffer.from(body.subarray(4, 20)).toString('latin1') === 'command=ls-refs\n'

interface Run extends ServiceAnswer {
  readonly slots: ProcessSlots
  readonly flags: readonly string[]
}

async function run(request: GitRequest, { slots, flags, ...answer }: Run): Promise<void> {
  const { git, repository, transfer, protocol, idleTimeoutMs } = request
  // For the store and for others, as long as these take.
  transfer.hold()
  const directory = await git.directoryOf(repository, transfer.signal)
  const release = await slots.acquire(transfer.signal)
  transfer.free()
  try {
    const timeout = `--timeout=${Math.ceil(idleTimeoutMs / 1000)}`
    const args = ['upload-pack', '--stateless-rpc', '--strict', timeout, ...flags, directory]
    const variables = protocol === undefined ? {} : { GIT_PROTOCOL: protocol }
    const start = () => new ServiceProcess({ program: git.program }, args, { configuration, variables })
    await answerWith(request, start, answer)
  } finally {
    release()
  }
}
