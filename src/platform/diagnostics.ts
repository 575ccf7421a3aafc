/** `DiagnosticsFunctions` of observing.ts on Node. */
import { channel } from 'node:diagnostics_channel'

const callStart = channel('blobwire:call:start')
const callEnd = channel('blobwire:call:end')
const attemptStart = channel('blobwire:attempt:start')
const attemptEnd = channel('blobwire:attempt:end')

export const channels = { callStart, callEnd, attemptStart, attemptEnd, event: channel('blobwire:event') }

export function isCallChannelSubscribed(): boolean {
  return callStart.hasSubscribers || callEnd.hasSubscribers || attemptStart.hasSubscribers || attemptEnd.hasSubscribers
}
