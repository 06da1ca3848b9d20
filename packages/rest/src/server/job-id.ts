import type { JobId } from '@flink-ts/common'
import { InvalidParameter } from '../errors.ts'

const JOB_ID = /^[0-9a-f]{32}$/

/** The job of a path. @throws rest.invalid-parameter */
export function jobIdOf(params: unknown): JobId {
  const { jobId } = params as { jobId: string }
  if (!JOB_ID.test(jobId)) {
    throw InvalidParameter({ name: 'job id', value: jobId, expected: '32 lower-case hex characters' })
  }
  return jobId as JobId
}
