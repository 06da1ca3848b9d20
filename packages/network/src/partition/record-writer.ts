import { inspect } from 'node:util'
import type { Random } from '@flink-ts/common'
import {
  generate,
  hashKey,
  InvalidKey,
  murmurHash,
  type Push,
  stringHashCode,
  subtaskOfKeyGroup,
} from '@flink-ts/serialization'
import { InvalidPartition, InvalidRecordKey, WrongChannelCount } from '../errors.ts'

/** How the channel of a record is chosen. The functions are the user's. */
export type Partitioner =
  | { readonly type: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' }
  | {
      readonly type: 'hash'
      readonly keySelector: (value: never) => unknown
      readonly place?: string | undefined
    }
  | { readonly type: 'custom'; readonly partition: (value: never, channels: number) => number }

/** Where records of one channel go: a function of the same thread, or the writer of a ring. */
export type RecordTarget = Push | { write(record: unknown): void }

export interface RecordWriterOptions {
  /** Key groups of the consuming vertex. */
  readonly maxParallelism: number
  readonly subtaskIndex: number
  /** The one whose output it is, for messages. */
  readonly operator: string
  /** Makes the error for what a user's function threw. */
  readonly failed: (functionName: string, thrown: unknown, record: unknown) => unknown
  readonly random: Random
}

/** Beyond so many channels, they are called through an array: slower, but the code stays small. */
const MAX_DIRECT_CALLS = 32

/**
 * Makes the function that sends each record of one output of one subtask to its channels. It is generated, with a call
 * of its own for each channel, so that nothing becomes megamorphic. The timestamp register is left alone.
 *
 * `channels` are those the subtask is connected to, by consuming subtask: for forward exactly one, for rescale its
 * group, for hash all. rebalance and rescale go round, starting at `subtaskIndex`. With one channel nothing is computed.
 * The function throws network.invalid-record-key and network.invalid-partition, and what `failed` makes of errors of the
 * user's functions.
 */
export function createRecordWriter(
  partitioner: Partitioner,
  channels: readonly RecordTarget[],
  options: RecordWriterOptions,
): Push {
  const { type } = partitioner
  const count = channels.length
  if (count === 0 || (type === 'forward' && count !== 1)) {
    throw WrongChannelCount({
      partitioner: type,
      channels: count,
      expected: type === 'forward' ? '1' : 'at least 1',
    })
  }
  const pushes = channels.map(pushOf)
  if (type === 'global' || (count === 1 && type !== 'custom')) return pushes[0] as Push
  const names = pushes.map((_, i) => `c${i}`)
  if (type === 'broadcast') {
    return generate(names, `return record => { ${names.map(name => `${name}(record)`).join('; ')} }`, pushes)
  }
  const send =
    count <= MAX_DIRECT_CALLS
      ? `switch (at) { ${names.map((name, i) => `case ${i}: ${name}(record); break`).join('; ')} }`
      : 'channels[at](record)'
  const choice = choiceOf(partitioner, count, options)
  return generate(
    [...names, 'channels', ...choice.names],
    `${choice.before}
    return record => { ${choice.body}; ${send} }`,
    [...pushes, pushes, ...choice.values],
  )
}

interface Choice {
  readonly names: readonly string[]
  readonly values: readonly unknown[]
  readonly before: string
  /** Sets `at` from `record`. */
  readonly body: string
}

function choiceOf(partitioner: Partitioner, count: number, options: RecordWriterOptions): Choice {
  switch (partitioner.type) {
    case 'hash': {
      const { maxParallelism, operator, failed } = options
      const channelOf = Uint16Array.from({ length: maxParallelism }, (_, group) =>
        subtaskOfKeyGroup(maxParallelism, count, group),
      )
      const hashOther = (key: unknown, record: unknown): number => {
        try {
          return hashKey(key)
        } catch (error) {
          if (!InvalidKey.is(error)) throw error
          const reason = (error as Error).message
          const { place } = partitioner
          throw InvalidRecordKey(
            { operator, record: show(record), reason, ...(place !== undefined && { place }) },
            error,
          )
        }
      }
      return {
        names: ['keySelector', 'failed', 'channelOf', 'murmurHash', 'stringHashCode', 'hashOther'],
        values: [partitioner.keySelector, failed, channelOf, murmurHash, stringHashCode, hashOther],
        before: '',
        body: `let key
          try { key = keySelector(record) } catch (error) { throw failed('the key selector', error, record) }
          const hash = typeof key === 'string' ? murmurHash(stringHashCode(key))
            : typeof key === 'number' && (key | 0) === key ? murmurHash(key | 0) : hashOther(key, record)
          const at = channelOf[hash % ${maxParallelism}]`,
      }
    }
    case 'custom': {
      const refuse = (answer: unknown, record: unknown): never => {
        throw InvalidPartition({
          operator: options.operator,
          answer: show(answer),
          channels: count,
          record: show(record),
        })
      }
      return {
        names: ['partition', 'failed', 'refuse'],
        values: [partitioner.partition, options.failed, refuse],
        before: '',
        body: `let at
          try { at = partition(record, ${count}) } catch (error) { throw failed('the partitioner', error, record) }
          if (typeof at !== 'number' || (at | 0) !== at || at < 0 || at >= ${count}) refuse(at, record)`,
      }
    }
    case 'shuffle':
      return {
        names: ['random'],
        values: [options.random],
        before: '',
        body: `const at = Math.floor(random.next() * ${count})`,
      }
    default:
      return {
        names: [],
        values: [],
        before: `let next = ${options.subtaskIndex % count}`,
        body: `const at = next; next = at === ${count - 1} ? 0 : at + 1`,
      }
  }
}

function pushOf(target: RecordTarget): Push {
  if (typeof target === 'function') return target
  return generate(['writer'], 'return record => { writer.write(record) }', [target])
}

function show(value: unknown): string {
  const text = inspect(value, {
    depth: 2,
    breakLength: Infinity,
    maxStringLength: 80,
    maxArrayLength: 10,
    customInspect: false,
  })
  return text.length > 300 ? `${text.slice(0, 300)}...` : text
}
