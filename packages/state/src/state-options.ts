import { memorySizeType, type OptionType, option } from '@flink-ts/common'

/** Inline state travels in messages and in `_metadata`: more than this belongs into files. */
const MAX_INLINE_BYTES = 1 << 20

const inlineSize: OptionType<number> = {
  expected: 'a memory size of at most 1 mb',
  parse: text => {
    const sizeBytes = memorySizeType.parse(text)
    return sizeBytes !== undefined && sizeBytes <= MAX_INLINE_BYTES ? sizeBytes : undefined
  },
  format: memorySizeType.format,
}

/** Below this size, state is part of the checkpoint's metadata instead of a file of its own. */
export const CHECKPOINT_INLINE_THRESHOLD = option(
  'execution.checkpointing.data-inline-threshold',
  inlineSize,
  {
    defaultValue: 20 * 1024,
    description:
      'State of an operator instance up to this size is written into the metadata of the checkpoint, larger state into ' +
      'a file. At most 1 mb.',
    deprecatedKeys: ['state.storage.fs.memory-threshold', 'state.backend.fs.memory-threshold'],
  },
)
