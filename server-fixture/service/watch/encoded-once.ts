/** The bytes of messages that go to many streams. */

/** Encodes each message once; its bytes go with it. */
export class EncodedOnce<Message extends object> {
  readonly #encode: (message: Message) => Uint8Array
  readonly #bytes = new WeakMap<Message, Uint8Array>()

  constructor(encode: (message: Message) => Uint8Array) {
    this.#encode = encode
  }

  of(message: Message): Uint8Array {
    let bytes = this.#bytes.get(message)
    if (bytes === undefined) {
      bytes = this.#encode(message)
      this.#bytes.set(message, bytes)
    }
    return bytes
  }
}
