import type { SerializedError } from '@flink-ts/common'
import type { Failure, FailureEntry, JobDetails } from '@flink-ts/gateways'

/** Entries of the exception history if the request gives no number, as in Flink. */
const DEFAULT_MAX_EXCEPTIONS = 20

export interface ExceptionQuery {
  readonly maxExceptions?: number | undefined
  /** Only failures with these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** GET /jobs/:id/exceptions: newest first. */
export function jobExceptions(job: JobDetails, query: ExceptionQuery = {}): object {
  const { maxExceptions = DEFAULT_MAX_EXCEPTIONS, labels = {} } = query
  const matching = job.failures.toReversed().filter(({ error }) => {
    const own = failureLabels(error)
    return Object.entries(labels).every(([key, value]) => own[key] === value)
  })
  const latest = matching[0]
  const shown = matching.slice(0, maxExceptions)
  const truncated = matching.length > maxExceptions
  return {
    ...(latest && { 'root-exception': stackTrace(latest.error), timestamp: latest.timestamp }),
    'all-exceptions': shown.map(failure => ({
      exception: stackTrace(failure.error),
      ...placeOf(failure, 'task'),
      timestamp: failure.timestamp,
    })),
    truncated,
    exceptionHistory: { entries: shown.map(historyEntry), truncated },
  }
}

/** What a failure is counted under: `domain` says whose fault it is, `code` which error of this system. */
function failureLabels(error: SerializedError): Readonly<Record<string, string>> {
  // Without a code it was thrown by the program.
  return { domain: error.domain ?? 'user', ...(error.code !== undefined && { code: error.code }) }
}

function historyEntry({ concurrent, ...root }: FailureEntry): object {
  return { ...exceptionInfo(root), concurrentExceptions: concurrent.map(exceptionInfo) }
}

function exceptionInfo(failure: Failure): object {
  const { error, timestamp } = failure
  return {
    exceptionName: error.code ?? error.name,
    stacktrace: stackTrace(error),
    timestamp,
    failureLabels: failureLabels(error),
    ...placeOf(failure, 'taskName'),
  }
}

function placeOf({ task, location, taskManagerId }: Failure, taskKey: string): object {
  return {
    ...(task !== undefined && { [taskKey]: task }),
    ...(location !== undefined && { location, endpoint: location }),
    ...(taskManagerId !== undefined && { taskManagerId }),
  }
}

/** The stack with those of all causes. */
export function stackTrace(error: SerializedError): string {
  const own = error.stack ?? `${error.name}: ${error.message}`
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackTrace(error.cause)}`
}
