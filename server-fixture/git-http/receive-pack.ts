/**
 * `git receive-pack`: pushes (gitprotocol-pack(5), "Pushing Data To a Server"). Git checks what comes, in a directory that no
 * repository reads, and moves no ref: it asks the server, which stores the objects and moves the refs as the API does.
 */
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import { headerOf } from '../http/exchange.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { limitExceeded } from '../service/errors.ts'
import { RepositoryReplaced } from '../store/store.ts'
import { consume } from '../transfers/consume.ts'
import { type GitRequest, type GitService, serviceLine } from './git-request.ts'
import { answerHook, type Push, writeHook } from './proc-receive.ts'
import { answerPush } from './push-answer.ts'
import { CommandCounter, keepsRef } from './push-command.ts'
import type { PushIntake } from './push-intake.ts'
import { movePushedRefs } from './push-moves.ts'
import { answerWith } from './service-answer.ts'
import { ServiceProcess } from './service-process.ts'

/** One allocation of git: deltas may claim results of any size. Clients make none of larger blobs (`core.bigFileThreshold`). */
const variables = { GIT_ALLOC_LIMIT: '600m' }

/** A push that takes longer comes as slowly as its client sends, and keeps no others from coming. */
const slowMs = 5_000

const advertised = {
  'receive.advertiseAtomic': 'true',
  'receive.advertisePushOptions': 'true',
  // The refs of the repository are known; no program of its configuration looks for those of its alternates.
  'core.alternateRefsCommand': 'true',
  'safe.directory': '*'
}

/** With which git checks a push, and asks for every ref. */
const configurationOf = ({ git }: GitRequest, hooks: string) => ({
  ...advertised,
  'receive.procReceiveRefs': 'refs/',
  'core.hooksPath': hooks,
  'receive.fsckObjects': 'true',
  'receive.maxInputSize': String(git.maxPushBytes),
  // Always a pack, and never single files.
  'receive.unpackLimit': '1',
  'receive.autogc': 'false'
})

export const receivePack: GitService = {
  access: 'write',
  async advertise(request) {
    const { git, repository, transfer } = request
    transfer.hold()
    const directory = await git.directoryOf(repository, transfer.signal)
    const slot = await git.light.acquire(transfer.signal)
    transfer.free()
    try {
      const args = ['receive-pack', '--stateless-rpc', '--http-backend-info-refs', directory]
      const start = () => new ServiceProcess({ program: git.program }, args, { configuration: advertised })
      await answerWith(request, start, {
        contentType: 'application/x-git-receive-pack-advertisement',
        prologue: serviceLine('git-receive-pack'),
        directory,
        onSlow: slot.park
      })
    } finally {
      slot.release()
    }
  },
  async serve(request) {
    const { exchange, git, repository, transfer, service } = request
    const declared = Number(headerOf(exchange, 'content-length') ?? 0)
    if (declared > git.maxPushBytes) throw limitExceeded('max_push_bytes', git.maxPushBytes, declared)
    const body = bodyOf(request)
    // The client waits for the server.
    transfer.hold()
    const slot = await git.pushes.acquire(transfer.signal)
    const slow = setTimeout(slot.park, slowMs)
    let intake: PushIntake | undefined
    try {
      const { maxBlobBytes } = service.limits
      intake = await git.openPush(repository, { signal: transfer.signal, maxBlobBytes })
      transfer.free()
      await receive(request, body, intake)
    } finally {
      await intake?.remove()
      clearTimeout(slow)
      slot.release()
    }
  }
}

/** Git's own clients send pushes as they are. @throws BlobwireError `unimplemented` */
function bodyOf({ exchange, transfer }: GitRequest): Readable {
  const encoding = headerOf(exchange, 'content-encoding') ?? 'identity'
  if (encoding === 'identity') return exchange.openBody()
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new BlobwireError({ code: 'unimplemented', message: 'content-encoding must be gzip or identity in a push' })
  }
  const unzipped = createGunzip()
  unzipped.once('error', () => transfer.abort(notGzip()))
  return exchange.openBody().pipe(unzipped)
}

const notGzip = () => invalidArgument('content-encoding', 'is gzip, and the body is not')

async function receive(request: GitRequest, body: Readable, intake: PushIntake): Promise<void> {
  const { git, transfer, service, repository, principal, requestId } = request
  const configuration = configurationOf(request, await writeHook(intake.path))
  const context = { program: git.program, objectDirectory: intake.path, alternates: intake.alternates }
  const args = ['receive-pack', '--stateless-rpc', intake.path]
  const counter = new CommandCounter()
  const call = { principal, signal: transfer.signal, requestId }
  const move = async (push: Push) => {
    try {
      if (push.atomic && push.commands.length < counter.count) throw refusedOthers()
      const tips = push.commands.filter(keepsRef).map(({ newOid }) => newOid)
      if (tips.length > 0) await intake.take(tips)
      return await movePushedRefs(push, { service, repository, call })
    } catch (error) {
      const { message } = error instanceof RepositoryReplaced ? error : toBlobwireError(error)
      return push.commands.map(() => message)
    }
  }
  await answerPush(request, {
    start: () => new ServiceProcess(context, args, { configuration, variables, hasChannel: true }),
    feed: (write) =>
      consume<Buffer>(body, {
        take(chunk) {
          counter.push(chunk)
          return write(chunk)
        },
        transfer
      }),
    answer: (channel) => answerHook(channel, move)
  })
}

function refusedOthers(): BlobwireError {
  const message = 'another ref of the atomic push was refused'
  return new BlobwireError({ code: 'failed_precondition', message })
}
