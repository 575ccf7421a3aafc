/**
 * Refuses a Node that is too old, before any other module is evaluated: undici would fail with an error that names neither.
 * CommonJS, because both entry points of the package begin with it.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  const { stackTraceLimit } = Error
  // Without a stack, Node prints little more than the sentence.
  Error.stackTraceLimit = 0
  const error = new Error(`blobwire needs Node 22.19 or newer; this is ${process.version}`)
  Error.stackTraceLimit = stackTraceLimit
  throw error
}
