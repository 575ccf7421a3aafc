/** `node --import ./hidden-peers.mjs PROGRAM`: the optional peers of the server are not installed. */
import { registerHooks } from 'node:module'

const hidden = ['pg', '@grpc/reflection', 'grpc-health-check', 'prom-client', 'uplot', '@opentelemetry/api']

registerHooks({
  resolve(specifier, context, next) {
    const name = hidden.find((each) => specifier === each || specifier.startsWith(`${each}/`))
    if (name === undefined) return next(specifier, context)
    const error = new Error(`Cannot find package '${name}' imported from ${context.parentURL}`)
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' })
  }
})
