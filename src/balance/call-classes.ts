/** Calls that take about equally long: of one method, and of one order of size. */
import type { UnaryCall } from '../transport/transport.ts'

/** A call, as far as its class goes. */
export type ClassedCall = Pick<UnaryCall, 'method' | 'request'>

/** Sizes at which the next class begins. */
const smallBytes = 16 * 1024
const mediumBytes = 256 * 1024
/** An element of a list counts as so many bytes. */
const elementBytes = 1024

interface Sized {
  readonly content?: { readonly length: number }
  readonly operations?: readonly unknown[]
  readonly changes?: readonly unknown[]
  readonly entries?: readonly unknown[]
}

function sizeClassOf(request: object): number {
  const { content, operations, changes, entries } = request as Sized
  const size = (content?.length ?? 0) + elementBytes * ((operations ?? changes ?? entries)?.length ?? 0)
  return size < smallBytes ? 0 : size < mediumBytes ? 1 : 2
}

/** Something for each class of calls, made when the first call of the class comes. */
export class CallClasses<State> {
  readonly #states = new Map<UnaryCall['method'], (State | undefined)[]>()
  readonly #make: () => State

  constructor(make: () => State) {
    this.#make = make
  }

  of({ method, request }: ClassedCall): State {
    let states = this.#states.get(method)
    if (states === undefined) {
      states = []
      this.#states.set(method, states)
    }
    const size = sizeClassOf(request)
    states[size] ??= this.#make()
    return states[size] as State
  }

  /** The methods, each with the state of its slowest class that has one: of the largest calls. */
  *entries(): Iterable<[UnaryCall['method'], State]> {
    for (const [method, states] of this.#states) {
      for (const state of states) if (state !== undefined) yield [method, state]
    }
  }
}
