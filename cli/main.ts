#!/usr/bin/env node
/** The command `blobwire`. */
import '../src/check-node.cts'
import { main } from './command-line.ts'
import { processIo } from './io.ts'

process.exitCode = await main(process.argv.slice(2), processIo())
