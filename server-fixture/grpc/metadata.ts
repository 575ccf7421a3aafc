/** Request headers of gRPC. */
import type { Metadata } from '@grpc/grpc-js'

/** The first value of a header, if it is a text. */
export function metadataValue(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name)
  return typeof value === 'string' ? value : undefined
}
