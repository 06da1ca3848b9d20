import type { Sink, SinkWriter } from './sink.ts'

/** Drops everything: for measurements. */
export class DiscardingSink<T> implements Sink<T, never, never> {
  readonly kind = 'discarding'

  createWriter(): SinkWriter<T, never, never> {
    return { write: () => {}, flush: () => {} }
  }
}
