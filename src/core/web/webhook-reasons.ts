/** In the place of `core/webhook-reasons.ts`: webhooks are for servers. */
import type * as Replaced from '../webhook-reasons.ts'

export const webhookRows: Partial<typeof Replaced.webhookRows> = {}
