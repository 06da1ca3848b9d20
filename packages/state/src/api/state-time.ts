/** The clocks that a time to live counts by, as an operator sees them. Milliseconds since the epoch. */
export interface StateTime {
  processingTime(): number
  /** Event time of the operator; at most {@link NO_EVENT_TIME} as long as there is none. */
  watermark(): number
  /** Event time of the record that is processed; NaN if it has none. */
  recordTimestamp(): number
}

/** Watermarks up to here say nothing about time. */
export const NO_EVENT_TIME: number = Number.MIN_SAFE_INTEGER
