/** Calls, attempts and events on `diagnostics_channel` (docs/observing.md has the names and messages). */
import { channels, isCallChannelSubscribed } from '../platform/diagnostics.ts'
import type { Observer } from './observer.ts'

/** Publishes while somebody has subscribed to a channel of calls. */
export const diagnosticsObserver: Observer = {
  callStarted(call) {
    if (!isCallChannelSubscribed()) return undefined
    channels.callStart.publish({ call })
    return {
      attemptStarted(attempt) {
        channels.attemptStart.publish({ call, attempt })
        return { ended: (outcome) => channels.attemptEnd.publish({ call, attempt, outcome }) }
      },
      ended: (outcome) => channels.callEnd.publish({ call, outcome })
    }
  }
}
