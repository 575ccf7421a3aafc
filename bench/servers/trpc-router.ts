import { initTRPC } from '@trpc/server'
import { storeBlob } from './blob-map.ts'

const { router: make, procedure } = initTRPC.create()

function contentOf(value: unknown): { content: string } {
  const { content } = value as { content: unknown }
  if (typeof content !== 'string') throw new Error('content must be base64')
  return { content }
}

/** The one procedure of the comparison. */
export const router = make({
  storeBlob: procedure.input(contentOf).mutation(({ input }) => storeBlob(Buffer.from(input.content, 'base64')))
})

/** What tRPC's client is typed by. */
export type Router = typeof router
