import { memorySizeType, option } from '@flink-ts/common'

export const COORDINATORS_HEAP_SIZE = option('jobmanager.job-host.heap-size', memorySizeType, {
  defaultValue: 512 * 2 ** 20,
  description:
    'Heap of the split enumerators and global committers of one job, which have a thread of the job host for ' +
    'themselves. Beyond it the job is restarted.',
})
