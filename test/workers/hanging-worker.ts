/** A worker that is ready, answers what it is told to watch, and nothing else. */
process.on('message', (message: { readonly kind: string }) => {
  if (message.kind === 'start') process.send?.({ kind: 'ready' })
  else if (message.kind === 'watch') process.send?.({ kind: 'watch', isWatched: true })
})
