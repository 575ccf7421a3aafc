/** `DiagnosticsFunctions` of observing.ts without channels. */
import type { DiagnosticsChannel } from '../observing.ts'

const channel: DiagnosticsChannel = { hasSubscribers: false, publish: () => undefined }

export const channels = {
  callStart: channel,
  callEnd: channel,
  attemptStart: channel,
  attemptEnd: channel,
  event: channel
}

export function isCallChannelSubscribed(): boolean {
  return false
}
