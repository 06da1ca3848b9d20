import type { JobId } from '@flink-ts/common'
import type { JobResult, JobSubmission } from '@flink-ts/gateways'
import { expect, test } from 'vitest'
import { JobBlobs } from './job-blobs.ts'

const submission = (jobId: string, blobKey: string) =>
  ({ graph: { jobId }, program: { code: { type: 'bundle', blobKey } } }) as unknown as JobSubmission

test('a program goes with the last job that needs it, a large result with its own', () => {
  const gone: string[] = []
  const blobs = new JobBlobs(key => gone.push(key))
  blobs.submitted(submission('a', 'program'))
  blobs.submitted(submission('b', 'program'))
  blobs.submitted(submission('b', 'program'))
  blobs.submitted(submission('c', 'other'))
  const lines = { kind: 'stored', parts: [{ blobKey: 'part' }, { values: [1] }] }
  const result = { status: 'FINISHED', result: { accumulators: { lines, count: 7 } } }
  blobs.finished('a' as JobId, result as unknown as JobResult)
  blobs.forget('a' as JobId)
  expect(gone).toEqual(['part'])
  blobs.forget('a' as JobId)
  blobs.forget('b' as JobId)
  expect(gone).toEqual(['part', 'program'])
})
