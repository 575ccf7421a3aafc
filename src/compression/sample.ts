/** Predicts by a sample whether bytes are compressible. */
/** Most bytes of a sample. */
const sampleBytes = 4096
/** Places of a sample: a header in front of compressed content must not decide. */
const places = 4
/** Bits per byte above which gzip saves too little: compressed data has 7.8 or more, programs have 6, text has 4 to 5. */
const maxBitsPerByte = 7.2
/**
 * The same for ASCII, besides the few bytes of a frame's header. Base64 of compressed data has 5.9 to 6, base64 of text and
 * programs less than 5.6. gzip would save the quarter that base64 added to compressed data, but takes some 20 ms a MiB.
 */
const maxBitsPerAsciiByte = 5.85

const counts = new Uint32Array(256)

/** What a sample of some bytes tells: the entropy of a byte (Shannon 1948), and whether nearly all are ASCII. */
function sampled(bytes: Uint8Array): { bitsPerByte: number; isAscii: boolean } {
  counts.fill(0)
  const run = Math.min(Math.floor(sampleBytes / places), Math.ceil(bytes.length / places))
  let seen = 0
  for (let place = 0; place < places; place++) {
    const from = Math.floor(((bytes.length - run) * place) / (places - 1))
    for (let at = from; at < from + run; at++) {
      const byte = bytes[at] as number
      counts[byte] = (counts[byte] as number) + 1
    }
    seen += run
  }
  let bits = 0
  let beyondAscii = 0
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte] as number
    if (count === 0) continue
    bits -= count * Math.log2(count / seen)
    if (byte >= 128) beyondAscii += count
  }
  return { bitsPerByte: bits / seen, isAscii: beyondAscii <= seen / 100 }
}

/**
 * Whether gzip is likely to make the bytes clearly smaller, by the entropy of a sample: some
 * microseconds, where compressing to find out takes a hundred times as long.
 */
export function looksCompressible(bytes: Uint8Array): boolean {
  const { bitsPerByte, isAscii } = sampled(bytes)
  return bitsPerByte <= (isAscii ? maxBitsPerAsciiByte : maxBitsPerByte)
}

/** About how many bytes gzip makes of these, rather more than less: it also finds what repeats. */
export function estimateCompressedBytes(bytes: Uint8Array): number {
  if (bytes.length === 0 || !looksCompressible(bytes)) return bytes.length
  return Math.ceil((bytes.length * sampled(bytes).bitsPerByte) / 8)
}

/** Whether bytes in pieces look compressible, by the largest piece. */
export function piecesLookCompressible(pieces: readonly Uint8Array[]): boolean {
  let largest: Uint8Array = new Uint8Array(0)
  for (const piece of pieces) if (piece.length > largest.length) largest = piece
  return looksCompressible(largest)
}
