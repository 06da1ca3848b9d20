import { expect, test } from 'vitest'
import { FileNotFound } from '../errors.ts'
import { toS3Error } from './s3-errors.ts'

const at = { operation: 'write', uri: 's3://b/k', bucket: 'b', endpoint: 'http://store' }
const failure = (name: string, status?: number, message = 'why'): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status, attempts: 3 } })

test.each([
  ['NoSuchBucket', 404, 'misconfigured', /no bucket 'b' at http:\/\/store.*Create it/],
  ['NoSuchKey', 404, 'not-found', /does not exist/],
  ['NotFound', 404, 'not-found', /does not exist/],
  ['PreconditionFailed', 412, 'already-exists', /exists already/],
  ['AccessDenied', 403, 'access-denied', /answered AccessDenied \(why\)/],
  ['InvalidAccessKeyId', 403, 'misconfigured', /refused the credentials.*s3\.access-key/],
  ['ExpiredToken', 400, 'misconfigured', /ExpiredToken/],
  ['CredentialsProviderError', undefined, 'misconfigured', /no credentials for.*AWS_ACCESS_KEY_ID/],
  ['PermanentRedirect', 301, 'misconfigured', /another region.*s3\.endpoint\.region/],
  ['SlowDown', 503, 'io', /SlowDown \(HTTP 503: why, tried 3 times\)\. Check the store/],
  ['QuotaExceeded', 507, 'io', /Free space/],
  ['TimeoutError', undefined, 'io', /no answer of http:\/\/store \(why, tried 3 times\).*s3\.endpoint/],
])('%s (HTTP %s) is filesystem.%s', (name, status, code, message) => {
  const error = toS3Error(failure(name, status), at)
  expect(error).toMatchObject({ code: `filesystem.${code}`, message: expect.stringMatching(message) })
})

test('errors of ours pass; a missing region is named', () => {
  const ours = FileNotFound({ uri: 'x', operation: 'read' })
  expect(toS3Error(ours, at)).toBe(ours)
  expect(toS3Error(new Error('Region is missing'), at)).toMatchObject({
    message: expect.stringContaining('Set s3.endpoint.region'),
  })
})
