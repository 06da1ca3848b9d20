import {
  integerType,
  memorySizeFrom,
  memorySizeType,
  type OptionType,
  option,
  portType,
} from '@flink-ts/common'

/** Room of one logical channel between two threads, or on each side of a TCP connection. */
export const RING_SIZE = option(
  'taskmanager.network.memory.channel-size',
  memorySizeFrom(16 * 1024, 64 * 2 ** 20),
  {
    defaultValue: 256 * 1024,
    description:
      'Memory of one channel, rounded up to a power of two; between TaskManagers twice as much on each side. Batches ' +
      'are cut at about a fifth of it, 48 kb at most, so that several fit; larger rings allow more records in flight ' +
      'and take longer to drain at a checkpoint. Where the network memory is short, channels get less, down to 16 kb.',
  },
)

/** A share of a whole. */
const fractionType: OptionType<number> = {
  expected: 'a number from 0 to 1 such as 0.1',
  parse: text => {
    const value = /^\s*(\d+(\.\d*)?|\.\d+)\s*$/.test(text) ? Number(text) : Number.NaN
    return value >= 0 && value <= 1 ? value : undefined
  },
  format: String,
}

/** Part of the machine's memory that channels may take. */
export const NETWORK_MEMORY_FRACTION = option('taskmanager.memory.network.fraction', fractionType, {
  defaultValue: 0.1,
  description:
    'Part of the memory of the machine or the container that the channels of a TaskManager may take together. They ' +
    'take what the deployed tasks need, nothing in advance; a deployment that needs more is refused.',
  deprecatedKeys: ['taskmanager.network.memory.fraction'],
})

/** Least bound of network memory. */
export const NETWORK_MEMORY_MIN = option('taskmanager.memory.network.min', memorySizeType, {
  defaultValue: 64 * 1024 * 1024,
  description: 'What the channels of a TaskManager may take even if the fraction of its memory is less.',
  deprecatedKeys: ['taskmanager.network.memory.min'],
})

/** Largest bound of network memory. */
export const NETWORK_MEMORY_MAX = option(
  'taskmanager.memory.network.max',
  memorySizeType as OptionType<number | undefined>,
  {
    defaultValue: undefined,
    description:
      'What the channels of a TaskManager may take at most, whatever the fraction of its memory. Default: no bound ' +
      'but the fraction.',
    deprecatedKeys: ['taskmanager.network.memory.max'],
  },
)

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
