/**
 * Arrays as parameters in the binary format of PostgreSQL: half the bytes of hex, and no text to be parsed. Source:
 * `array_send` in PostgreSQL's src/backend/utils/adt/arrayfuncs.c. `pg` sends a Buffer as it is, in the binary format.
 */

/** Dimensions, whether there are nulls, type of the elements, length and first index. */
const headBytes = 20
const byteaType = 17
const int2Type = 21
const int8Type = 20

/** A `bytea[]`. */
export function byteaArray(elements: readonly Uint8Array[]): Buffer {
  let bytes = headBytes + 4 * elements.length
  for (const element of elements) bytes += element.length
  const array = newArray(bytes, byteaType, elements.length)
  let at = headBytes
  for (const element of elements) {
    array.writeInt32BE(element.length, at)
    array.set(element, at + 4)
    at += 4 + element.length
  }
  return array
}

/** A `bytea[]` of oids. */
export function oidArray(oids: readonly string[]): Buffer {
  const oidBytes = (oids[0]?.length ?? 0) / 2
  const array = newArray(headBytes + (4 + oidBytes) * oids.length, byteaType, oids.length)
  let at = headBytes
  for (const oid of oids) {
    array.writeInt32BE(oidBytes, at)
    array.write(oid, at + 4, 'hex')
    at += 4 + oidBytes
  }
  return array
}

/** A `smallint[]`. */
export function smallintArray(elements: readonly number[]): Buffer {
  const array = newArray(headBytes + 6 * elements.length, int2Type, elements.length)
  let at = headBytes
  for (const element of elements) {
    array.writeInt32BE(2, at)
    array.writeInt16BE(element, at + 4)
    at += 6
  }
  return array
}

/** A `bigint[]`. */
export function bigintArray(elements: readonly number[]): Buffer {
  const array = newArray(headBytes + 12 * elements.length, int8Type, elements.length)
  let at = headBytes
  for (const element of elements) {
    array.writeInt32BE(8, at)
    array.writeInt32BE(Math.floor(element / 2 ** 32), at + 4)
    array.writeUInt32BE(element % 2 ** 32, at + 8)
    at += 12
  }
  return array
}

/** With its head; an array without elements has no dimension. */
function newArray(bytes: number, type: number, length: number): Buffer {
  const array = Buffer.allocUnsafe(length === 0 ? 12 : bytes)
  array.writeInt32BE(length === 0 ? 0 : 1, 0)
  array.writeInt32BE(0, 4)
  array.writeInt32BE(type, 8)
  if (length === 0) return array
  array.writeInt32BE(length, 12)
  array.writeInt32BE(1, 16)
  return array
}
