import { joinUri, type PendingFile } from '@flink-ts/filesystem'

/** One attempt of one writer: what its unfinished files are told apart by. */
export interface WriterAttempt {
  readonly jobId: string
  /** Which of the job's sinks on the same folder. */
  readonly sink: number
  readonly subtask: number
  /** The checkpoint it was restored from; 0: none. */
  readonly bornFrom: number
  /** Random. */
  readonly token: string
}

/** A file that is complete and waits for its checkpoint. Plain data; commits depend on nothing else. */
export type PartCommittable = PendingFile

/** In state: files of `attempt` with a number below `nextNumber` are covered by the snapshot. */
export interface PartWriterState {
  readonly attempt: WriterAttempt
  readonly nextNumber: number
}

/**
 * Names of part `number`: hidden until it is committed. The token makes both unique over subtasks, attempts, restarts
 * and parallelisms.
 */
export function partUris(
  folder: string,
  attempt: WriterAttempt,
  number: number,
  suffix: string,
): { readonly inProgressUri: string; readonly finalUri: string } {
  const { subtask, token, jobId, sink, bornFrom } = attempt
  return {
    inProgressUri: joinUri(
      folder,
      `.part-${subtask}-${number}.inprogress.${jobId}-${sink}-${bornFrom}-${token}`,
    ),
    finalUri: joinUri(folder, `part-${subtask}-${token}-${number}${suffix}`),
  }
}

/** What the name of an unfinished file says; undefined for all other files. */
export function parseInProgressName(uri: string): { attempt: WriterAttempt; number: number } | undefined {
  const name = uri.slice(uri.lastIndexOf('/') + 1)
  const match = /^\.part-(\d+)-(\d+)\.inprogress\.([0-9a-zA-Z_]+)-(\d+)-(\d+)-([0-9a-f]+)$/.exec(name)
  if (match === null) return undefined
  const [, subtask, number, jobId, sink, bornFrom, token] = match as unknown as string[]
  return {
    attempt: {
      jobId: jobId as string,
      sink: Number(sink),
      subtask: Number(subtask),
      bornFrom: Number(bornFrom),
      token: token as string,
    },
    number: Number(number),
  }
}
