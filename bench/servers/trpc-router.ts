/** The tRPC router of the comparison. */
import { initTRPC } from '@trpc/server'
import { storeBlob } from './blob-map.ts'

const { router: make, procedure } = initTRPC.create()

function contentOf(value: unknown): { content: string } {
  const { content } = value as { content: unknown }
  if (typeof content !== 'string') throw new Error('content must be base64')
  return { content }
}

/** A router with one procedure. */
export const router = make({
  storeBlob: procedure.input(contentOf).mutation(({ input }) => storeBlob(Buffer.from(input.content, 'base64')))
})

/** The type parameter of tRPC's client. */
export type Router = typeof router
