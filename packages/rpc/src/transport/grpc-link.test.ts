import { expect, test } from 'vitest'
import { plainReason } from './grpc-link.ts'

test.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:6123. Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:6123',
  ],
  [
    'No connection established. Last error: read ECONNRESET (2026-11-21T17:00:12.466Z). Resolution note: ',
    'read ECONNRESET',
  ],
  ['Name resolution failed for target dns:nowhere:1', 'Name resolution failed for target dns:nowhere:1'],
])('%s', (details, reason) => {
  expect(plainReason(details)).toBe(reason)
})
