/** The details of errors in a trailer of gRPC, cut to its room. */
import type { Messages } from '../../src/schema/messages.ts'
import { encodeStatus } from './proto.ts'

/** Most bytes of encoded error details: peers end the connection over more than 8 KiB of headers. */
const maxDetailBytes = 4096

/** Cuts the lists of an error to the room in a trailer; the message tells their full length. */
export function statusDetails(code: number, message: string, detail: Messages['ErrorDetail']): Buffer {
  const encoded = encodeStatus({ code, message, detail })
  const { missingOids, refMismatches, pathMismatches, violations } = detail
  const longest = Math.max(missingOids.length, refMismatches.length, pathMismatches.length, violations.length)
  if (encoded.length <= maxDetailBytes || longest === 0) return encoded
  const keep = Math.min(longest - 1, Math.floor((longest * maxDetailBytes) / encoded.length))
  const shorter = {
    missingOids: missingOids.slice(0, keep),
    refMismatches: refMismatches.slice(0, keep),
    pathMismatches: pathMismatches.slice(0, keep),
    violations: violations.slice(0, keep)
  }
  return statusDetails(code, message, { ...detail, ...shorter })
}
