import { afterEach, expect, test } from 'vitest'
import { FakeCluster } from '../testing/fake-cluster.ts'
import { testGraph } from '../testing/test-program.ts'

let cluster: FakeCluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

test('a slot for a job that has ended is free at once, not after taskmanager.slot.timeout', async () => {
  cluster = new FakeCluster()
  const c = cluster
  c.serveResourceManager()
  const tm = await c.taskManager('tm', 1)
  await c.until(() => c.registrations.length === 1, 'registration')
  const requestedMs = c.clock.monotonicMs()
  await c.toResource(tm).requestSlot({
    slotId: 'tm_0' as never,
    jobId: testGraph({ parallelism: 1 }).jobId,
    allocationId: 'late' as never,
    jobMasterAddress: c.rpc.address,
    jobMasterEndpoint: 'job-master/test',
  })
  await c.until(() => c.freed.some(f => f.allocationId === 'late'), 'freed slot')
  expect(c.clock.monotonicMs() - requestedMs).toBeLessThan(5000)
})
