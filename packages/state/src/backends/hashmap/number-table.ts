import { generate } from '@flink-ts/serialization'
import type { HeapTableClass } from './generate-heap-table.ts'
import { NO_INTEGER_KEY } from './number-segment.ts'

/** The same tables, but for values that are in {@link HeapTable.numbers}: those are found, removed and walked as well. */
export function generateNumberTable<V>(Table: HeapTableClass<V>): HeapTableClass<V> {
  return generate<HeapTableClass<V>>(
    ['Table'],
    `return class extends Table {
  find(key) {
    if ((key | 0) === key && key !== ${NO_INTEGER_KEY}) {
      const entry = this.numbers.entry(key | 0)
      if (entry !== undefined) return entry
    }
    return super.find(key)
  }

  remove(key) {
    if ((key | 0) === key && key !== ${NO_INTEGER_KEY} && this.numbers.remove(key | 0)) return true
    return super.remove(key)
  }

  *entries() {
    yield* super.entries()
    yield* this.numbers.entries()
  }
}`,
    [Table],
  )
}
