/**
 * Loaded before the server (`node --import`), this takes the members out of the schema that came with request keys, guards,
 * and frames of several repositories: the server refuses a method that it does not know, and passes over a field that it
 * does not know, as any proto3 server of before does.
 */
import type { Field, MessageName } from '../../src/schema/descriptor.ts'
import { messageDescriptors } from '../../src/schema/descriptors.ts'
import { methods } from '../../src/schema/methods.ts'

const later: Partial<Record<MessageName, readonly string[]>> = {
  Operation: ['apply', 'storeObject', 'getObject', 'storeTag', 'getTag'],
  OperationResult: ['apply', 'storeObject', 'getObject', 'storeTag', 'getTag'],
  SessionRequest: ['batches'],
  FileChange: ['guarded', 'guard'],
  CommitFilesRequest: ['inputDigest'],
  GetCapabilitiesResponse: ['requestKeySeconds', 'resume']
}

for (const [type, names] of Object.entries(later)) {
  const fields = messageDescriptors[type as MessageName] as Field[]
  const kept = fields.filter(({ name }) => !names.includes(name))
  if (kept.length !== fields.length - names.length) throw new Error(`${type} has not all of ${names.join()}`)
  fields.splice(0, fields.length, ...kept)
}
for (const name of ['apply', 'storeObject', 'getObject', 'storeTag', 'getTag']) Reflect.deleteProperty(methods, name)
