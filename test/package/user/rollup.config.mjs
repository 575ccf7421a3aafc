/** A user's configuration of rollup, as the README has it. */
import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import resolve from '@rollup/plugin-node-resolve'

export default {
  input: 'everywhere.mjs',
  output: { dir: 'rollup', format: 'es', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
  plugins: [
    resolve({ exportConditions: ['node'] }),
    // undici requires node:http2 within a try block, where the plugin would leave `require` to the runtime.
    commonjs({ ignoreTryCatch: ['node:sqlite'], ignore: ['@grpc/proto-loader'] }),
    json()
  ],
  // Shaking the tree is slow, and the bundle works either way.
  treeshake: false,
  onwarn() {}
}
