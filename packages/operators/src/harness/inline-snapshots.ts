import type { CheckpointStreamFactory, StateReader } from '@flink-ts/state'

/** Snapshots in memory, for tests of operators on real backends. */
export const inlineStreams: CheckpointStreamFactory = {
  open: async () => {
    const parts: Uint8Array[] = []
    let position = 0
    return {
      get position() {
        return position
      },
      write: async bytes => {
        parts.push(Uint8Array.from(bytes))
        position += bytes.length
      },
      close: async () => ({ type: 'inline', base64: Buffer.concat(parts).toString('base64') }),
      discard: async () => {},
    }
  },
}

/** Reads what {@link inlineStreams} has made. */
export const inlineReader: StateReader = {
  readRange: async (location, start, end) =>
    Buffer.from(location.type === 'inline' ? location.base64 : '', 'base64').subarray(start, end),
}
