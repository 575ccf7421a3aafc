/** Downloads: their arguments, and their way to the layers below. */
import { forCaller } from '../call/caller.ts'
import { checkKeys, checkObject, show } from '../core/check-options.ts'
import { asBlobwireError, invalidArgument } from '../core/error.ts'
import { FieldProblem } from '../core/field-problem.ts'
import { checkHeaders } from '../core/headers.ts'
import { isOid, oidProblem } from '../git/oid.ts'
import { binaryPath, pathFields } from '../git/raw-path.ts'
import type { Address } from '../transfer/blob-source.ts'
import { BlobDownload } from '../transfer/download.ts'
import type { Download, DownloadOptions } from '../transfer/download-types.ts'
import { checkRange, type Range, takePosition } from '../transfer/range.ts'
import { blobShapes } from './blob-shapes.ts'
import type { CallInvoker } from './call-invoker.ts'
import { optionKeys } from './call-shapes.ts'
import type { RepositoryCalls } from './calls.ts'
import type { BlobAddress } from './inputs.ts'

const mostParallel = 16
const keys = [...optionKeys, 'start', 'end', 'parallel', 'stallTimeoutMs', 'onProgress']

/** @throws BlobwireError `invalid_argument` */
export function download(
  calls: RepositoryCalls,
  address: string | BlobAddress,
  options: DownloadOptions | undefined
): Download {
  const { invoker } = calls
  const called = calls.called('download')
  try {
    const taken = takeDownloadOptions(invoker, options)
    const found = takeAddress(calls.repository, typeof address === 'string' ? { oid: address } : address)
    const { verify } = invoker.options
    const request = { ...taken, address: found, verify, called }
    return new BlobDownload(request, { runner: invoker.pipeline.transfers, clock: invoker.clock })
  } catch (problem) {
    const error = problem instanceof FieldProblem ? problem.toError() : asBlobwireError(problem)
    throw forCaller(error, called, { below: download })
  }
}

/** @throws BlobwireError `invalid_argument`, or FieldProblem */
export function takeDownloadOptions(invoker: CallInvoker, options: DownloadOptions | undefined) {
  const given = checkObject('options', options)
  checkKeys('', given, keys)
  const { headers } = given
  const own = headers === undefined ? given : { ...given, headers: checkHeaders(headers) }
  const { onProgress } = own
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidArgument('onProgress', `must be a function, not ${show(onProgress)}`)
  }
  return { range: takeRange(own), parallel: takeParallel(own), transfer: invoker.transferOf(own), onProgress }
}

/** @throws FieldProblem */
function takeAddress(repository: string, given: BlobAddress): Address {
  const address = blobShapes.getBlob(given) as BlobAddress
  if ('oid' in address) {
    const { oid } = address
    if (!isOid(oid)) throw new FieldProblem(oidProblem(oid)).within('oid')
    return { repository, oid, revision: '', path: '' }
  }
  return { repository, oid: '', revision: address.revision, path: binaryPath(pathFields(address.path)) }
}

/** @throws FieldProblem */
function takeRange({ start = 0, end }: DownloadOptions): Range {
  const range = { start: position('start', start), end: end === undefined ? undefined : position('end', end) }
  checkRange(range)
  return range
}

function position(name: string, value: unknown): number {
  try {
    return takePosition(value) as number
  } catch (problem) {
    throw problem instanceof FieldProblem ? problem.within(name) : problem
  }
}

function takeParallel({ parallel = 1 }: DownloadOptions): number {
  if (Number.isInteger(parallel) && parallel >= 1 && parallel <= mostParallel) return parallel
  throw invalidArgument('parallel', `must be an integer from 1 to ${mostParallel}, not ${show(parallel)}`)
}
