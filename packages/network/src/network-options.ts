import { integerType, memorySizeType, option } from '@flink-ts/common'

/** Room of one logical channel between two threads, or on each side of a TCP connection. */
export const RING_SIZE = option('taskmanager.network.memory.channel-size', memorySizeType, {
  defaultValue: 256 * 1024,
  description:
    'Memory of one channel on each side, rounded up to a power of two. Batches are cut at about a fifth of it, so ' +
    'that several fit; larger rings allow more records in flight and take longer to drain at a checkpoint.',
})

/** TCP port for data between TaskManagers. */
export const DATA_PORT = option('taskmanager.data.port', integerType, {
  defaultValue: 0,
  description: 'Port on which other TaskManagers fetch data. 0: any free port.',
})
