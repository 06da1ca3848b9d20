import type { Random } from '@flink-ts/common'
import { type FileSystem, joinUri } from '@flink-ts/filesystem'
import type { CheckpointStreamFactory } from './checkpoint-storage.ts'
import { FileBlobOutput } from './file-blob-output.ts'

const LONGEST_NAME_PART = 100

/** Opens state files of one attempt in one folder; each has a name of its own. */
export function stateStreams(
  options: { readonly folder: string; readonly attempt: string; readonly inlineThresholdBytes: number },
  dependencies: { readonly fileSystem: FileSystem; readonly random: Random },
): CheckpointStreamFactory {
  const { folder, attempt, inlineThresholdBytes } = options
  return {
    open: purpose => {
      const random = dependencies.random.bytes(8).toString('hex')
      const uri = joinUri(folder, `${namePart(purpose)}-${namePart(attempt)}-${random}`)
      return Promise.resolve(new FileBlobOutput({ uri, inlineThresholdBytes }, dependencies))
    },
  }
}

function namePart(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, LONGEST_NAME_PART)
}
