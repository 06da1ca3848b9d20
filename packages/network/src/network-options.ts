import { integerType, memorySizeType, option, portType } from '@flink-ts/common'

/** Room of one logical channel between two threads, or on each side of a TCP connection. */
export const RING_SIZE = option('taskmanager.network.memory.channel-size', memorySizeType, {
  defaultValue: 256 * 1024,
  description:
    'Memory of one channel on each side, rounded up to a power of two. Batches are cut at about a fifth of it, so ' +
    'that several fit; larger rings allow more records in flight and take longer to drain at a checkpoint.',
})

/** Bound of what a task emits beyond the room of its channels. */
export const MAX_OVERDRAFT_SIZE = option('taskmanager.network.max-overdraft-size', memorySizeType, {
  defaultValue: 256 * 1024 * 1024,
  description:
    'Encoded bytes that the channels of one task to other slots hold on the heap when a single record or timer emits ' +
    'more than there is room for. Beyond it the task fails.',
})

/** Bound of what waits in front of a task of the same slot. */
export const MAX_OVERDRAFT_RECORDS = option('taskmanager.network.max-overdraft-records', integerType, {
  defaultValue: 4_000_000,
  description:
    'Records that wait in one channel between two tasks of the same slot, whose consumer cannot take them yet, when ' +
    'a single record or timer emits so many. Beyond it the producing task fails.',
})

/** TCP port for data between TaskManagers. */
export const DATA_PORT = option('taskmanager.data.port', portType, {
  defaultValue: 0,
  description: 'Port on which other TaskManagers fetch data. 0: any free port.',
})
