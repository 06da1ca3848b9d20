import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { FakeCluster, type FakeTaskManager } from '../testing/fake-cluster.ts'
import { testGraph } from '../testing/test-program.ts'

let cluster: FakeCluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

async function started(
  ...slots: readonly number[]
): Promise<{ cluster: FakeCluster; tms: FakeTaskManager[] }> {
  cluster = new FakeCluster()
  cluster.serveResourceManager()
  cluster.serveJobMaster()
  const tms: FakeTaskManager[] = []
  for (const [i, count] of slots.entries()) {
    tms.push(await cluster.taskManager(`tm${i}`, count, { 'task.cancellation.timeout': '200 ms' }))
  }
  const fresh = cluster
  await fresh.until(() => fresh.registrations.length === slots.length, 'registrations')
  return { cluster, tms }
}

test('registers whenever the ResourceManager comes up, and again after its loss, with its slots', async () => {
  cluster = new FakeCluster()
  const c = cluster
  const tm = await c.taskManager('tm', 2)
  await new Promise(resolve => setTimeout(resolve, 60))
  c.serveResourceManager()
  c.serveJobMaster()
  await c.until(() => c.registrations.length === 1, 'registration')
  expect(c.registrations[0]!.slots).toEqual([
    { slotId: 'tm_0', allocation: undefined },
    { slotId: 'tm_1', allocation: undefined },
  ])
  const allocationId = await c.allocate(tm, 1)
  c.withdraw('resource-manager')
  c.serveResourceManager()
  await c.until(() => c.registrations.length === 2, 'second registration')
  expect(c.registrations[1]!.slots[1]!.allocation?.allocationId).toBe(allocationId)
})

test('a slot has one owner; a slot that is not accepted, or freed, is reported free after its thread ended', async () => {
  const { cluster: c, tms } = await started(1)
  const tm = tms[0]!
  const { jobId } = testGraph({ parallelism: 1 })
  c.acceptOffers = false
  const rejected = await c.allocate(tm, 0)
  await c.until(() => c.freed.some(f => f.allocationId === rejected), 'rejected slot')
  c.acceptOffers = true
  const allocationId = await c.allocate(tm, 0)
  const request = {
    slotId: 'tm0_0' as never,
    jobId,
    jobMasterAddress: c.rpc.address,
    jobMasterEndpoint: 'job-master/test',
  }
  await c.toResource(tm).requestSlot({ ...request, allocationId })
  await expect(
    c.toResource(tm).requestSlot({ ...request, allocationId: 'x' as never }),
  ).rejects.toMatchObject({
    code: 'taskmanager.slot-occupied',
  })
  await expect(
    c.toResource(tm).requestSlot({ ...request, slotId: 'tm0_9' as never, allocationId: 'x' as never }),
  ).rejects.toMatchObject({ code: 'taskmanager.unknown-slot' })
  await c.toJob(tm).freeSlot(allocationId, 'test')
  await c.until(() => c.freed.some(f => f.allocationId === allocationId), 'freed slot')
})

test('a job runs in one slot, over rings between two slots, and over TCP between two TaskManagers', async () => {
  const { cluster: c, tms } = await started(2, 1)
  const [a, b] = tms as [FakeTaskManager, FakeTaskManager]
  const all = [
    { taskManager: a, allocationId: await c.allocate(a, 0) },
    { taskManager: a, allocationId: await c.allocate(a, 1) },
    { taskManager: b, allocationId: await c.allocate(b, 0) },
  ]
  for (const places of [all.slice(0, 1), all.slice(0, 2), all]) {
    const limit = 20_000
    const attempts = await c.deploy({ parallelism: places.length, limit }, places)
    await c.until(() => attempts.every(({ sink }) => c.status(sink) === 'FINISHED'), `${places.length} sinks`)
    await c.until(() => attempts.every(({ source }) => c.status(source) === 'FINISHED'), 'sources')
    const total = (name: string) =>
      attempts.reduce((sum, { sink }) => sum + (c.last(sink)!.accumulators![name] as number), 0)
    expect(total('count')).toBe(places.length * limit)
    expect(total('sum')).toBe((places.length * limit * (limit - 1)) / 2)
    expect(attempts.reduce((sum, { sink }) => sum + c.last(sink)!.metrics.recordsIn, 0)).toBe(
      places.length * limit,
    )
  }
}, 20_000)

test('state comes back after a restart in new threads of the same slots', async () => {
  const { cluster: c, tms } = await started(1, 1)
  const directory = mkdtempSync(join(tmpdir(), 'flink-ts-taskmanager-'))
  try {
    const places = [
      { taskManager: tms[0]!, allocationId: await c.allocate(tms[0]!, 0) },
      { taskManager: tms[1]!, allocationId: await c.allocate(tms[1]!, 0) },
    ]
    const options = { parallelism: 2, intervalMs: 100 }
    const first = await c.deploy(options, places, { checkpointDirectory: directory })
    const ids = first.flatMap(({ source, sink }) => [source, sink])
    await c.until(() => ids.every(id => c.status(id) === 'RUNNING'), 'running')
    await new Promise(resolve => setTimeout(resolve, 30))
    for (const [i, { taskManager }] of places.entries()) {
      await c
        .toJob(taskManager)
        .triggerCheckpoint([first[i]!.source], { checkpointId: 1, timestamp: Date.now(), savepoint: false })
    }
    await c.until(() => c.acknowledged.length === 4, 'acknowledgements')
    for (const { taskManager } of places) for (const id of ids) await c.toJob(taskManager).cancelTask(id)
    await c.until(() => ids.every(id => c.status(id) === 'CANCELED'), 'cancellation')

    // The sources end where their new limit says: behind what the checkpoint has.
    const limit = 3_000_000
    const restore = [...c.acknowledged]
    const second = await c.deploy({ ...options, limit }, places, { checkpointDirectory: directory, restore })
    await c.until(() => second.every(({ sink }) => c.endOfData.includes(sink)), 'end of data')
    for (const [i, { taskManager }] of places.entries()) {
      await c
        .toJob(taskManager)
        .triggerCheckpoint([second[i]!.source], { checkpointId: 2, timestamp: Date.now(), savepoint: false })
    }
    await c.until(() => c.acknowledged.length === 8, 'last checkpoint')
    for (const { taskManager } of places) {
      await c.toJob(taskManager).notifyCheckpointComplete(
        second.flatMap(({ source, sink }) => [source, sink]),
        2,
      )
    }
    await c.until(
      () =>
        second.every(({ sink, source }) => c.status(sink) === 'FINISHED' && c.status(source) === 'FINISHED'),
      'end',
    )
    const counts = second.map(({ sink }) => c.last(sink)!.accumulators!['count'] as number)
    expect(counts[0]! + counts[1]!).toBe(2 * limit)
    expect(c.declined).toEqual([])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 20_000)

test('an error of user code fails its task with its stack, and the slot can be used again', async () => {
  const { cluster: c, tms } = await started(1)
  const places = [{ taskManager: tms[0]!, allocationId: await c.allocate(tms[0]!, 0) }]
  const [failed] = await c.deploy({ parallelism: 1, atHundred: 'throw' }, places)
  await c.until(() => c.status(failed!.sink) === 'FAILED', 'failure')
  expect(c.last(failed!.sink)!.error).toMatchObject({ name: 'RangeError', message: 'record one hundred' })
  expect(c.last(failed!.sink)!.error!.stack).toContain('test-program.ts')
  await expect(c.deploy({ parallelism: 1, limit: 10 }, places)).rejects.toMatchObject({
    code: 'taskmanager.slot-busy',
  })
  await c.toJob(tms[0]!).cancelTask(failed!.source)
  await c.until(() => c.status(failed!.source) === 'CANCELED', 'cancellation')
  const [again] = await c.deploy({ parallelism: 1, limit: 10 }, places)
  await c.until(() => c.status(again!.sink) === 'FINISHED', 'second run')
})

test('a task that does not stop costs its thread, and nothing else', async () => {
  const { cluster: c, tms } = await started(2)
  const [stuck, fine] = [await c.allocate(tms[0]!, 0), await c.allocate(tms[0]!, 1)]
  const place = (allocationId: typeof stuck) => [{ taskManager: tms[0]!, allocationId }]
  const [other] = await c.deploy({ parallelism: 1, forward: true }, place(fine))
  const [loops] = await c.deploy({ parallelism: 1, atHundred: 'loop' }, place(stuck))
  await c.until(() => c.status(loops!.source) === 'RUNNING' && c.status(other!.sink) === 'RUNNING', 'running')
  await c.toJob(tms[0]!).cancelTask(loops!.source)
  await c.toJob(tms[0]!).cancelTask(loops!.sink)
  await c.until(
    () => c.status(loops!.sink) === 'CANCELED' && c.status(loops!.source) === 'CANCELED',
    'termination',
  )
  expect(c.status(other!.sink)).toBe('RUNNING')
  const [again] = await c.deploy({ parallelism: 1, limit: 10 }, place(stuck))
  await c.until(() => c.status(again!.sink) === 'FINISHED', 'use of the slot')
})

test.each(['exit', 'reject', 'callback'] as const)(
  'a thread that dies by %s fails its tasks and its slot',
  async how => {
    const { cluster: c, tms } = await started(1)
    const allocationId = await c.allocate(tms[0]!, 0)
    const [task] = await c.deploy({ parallelism: 1, atHundred: how }, [
      { taskManager: tms[0]!, allocationId },
    ])
    await c.until(() => c.failedSlots.length === 1, 'failed slot')
    const { status, error } = c.last(task!.sink)!
    expect(status).toBe('FAILED')
    expect(error?.code).toBe(how === 'exit' ? 'taskmanager.slot-thread-died' : 'taskmanager.uncaught-error')
    if (how !== 'exit') {
      expect(error?.message).toMatch(
        how === 'reject' ? /^lost promise \(a promise was/ : /^late error \(thrown in a/,
      )
      // The user's code first.
      expect(error?.stack?.split('\n')[1]).toContain('test-program.ts')
    }
    await c.until(() => c.freed.some(f => f.allocationId === allocationId), 'free slot')
    const next = await c.allocate(tms[0]!, 0)
    const [again] = await c.deploy({ parallelism: 1, limit: 10 }, [
      { taskManager: tms[0]!, allocationId: next },
    ])
    await c.until(() => c.status(again!.sink) === 'FINISHED', 'use of the slot')
  },
)

test('a replay that differs fails the tasks and says where', async () => {
  const { cluster: c, tms } = await started(1)
  const allocationId = await c.allocate(tms[0]!, 0)
  const [task] = await c.deploy({ parallelism: 1, unstable: true }, [{ taskManager: tms[0]!, allocationId }])
  await c.until(() => c.status(task!.sink) === 'FAILED' && c.status(task!.source) === 'FAILED', 'failure')
  expect(c.last(task!.sink)!.error).toMatchObject({
    code: 'jobgraph.replay-differs',
    data: { position: 2, planned: '2 sink', replayed: '2 other sink' },
  })
})

test('the loss of the JobMaster frees its slots, the loss of a partner fails the consumer', async () => {
  const { cluster: c, tms } = await started(1, 1)
  const places = [
    { taskManager: tms[0]!, allocationId: await c.allocate(tms[0]!, 0) },
    { taskManager: tms[1]!, allocationId: await c.allocate(tms[1]!, 0) },
  ]
  const attempts = await c.deploy({ parallelism: 2 }, places)
  await c.until(() => attempts.every(({ sink }) => c.status(sink) === 'RUNNING'), 'running')
  await new Promise(resolve => setTimeout(resolve, 50))
  await tms[1]!.network.close()
  await c.until(() => c.status(attempts[0]!.sink) === 'FAILED', 'failure of the consumer')
  expect(c.last(attempts[0]!.sink)!.error).toMatchObject({ code: 'taskmanager.channel-lost' })
  c.withdraw('job-master')
  await c.until(
    () => places.every(({ allocationId }) => c.freed.some(f => f.allocationId === allocationId)),
    'free slots',
  )
})

test.each(['many-maps', 'buffers'] as const)(
  'a slot whose memory is used up by %s fails its own tasks only',
  async how => {
    cluster = new FakeCluster()
    const c = cluster
    c.serveResourceManager()
    c.serveJobMaster()
    const tm = await c.taskManager('tm0', 2, { 'taskmanager.memory.task.heap.size': '128 mb' })
    await c.until(() => c.registrations.length === 1, 'registration')
    const [greedy, fine] = [await c.allocate(tm, 0), await c.allocate(tm, 1)]
    const place = (allocationId: typeof greedy) => [{ taskManager: tm, allocationId }]
    const [other] = await c.deploy({ parallelism: 1, forward: true, paused: true }, place(fine))
    await c.until(() => c.status(other!.sink) === 'RUNNING', 'running')
    const [grows] = await c.deploy({ parallelism: 1, atHundred: how }, place(greedy))
    await c.until(() => c.status(grows!.sink) === 'FAILED' && c.status(grows!.source) === 'FAILED', 'failure')
    const { error } = c.last(grows!.sink)!
    expect(error).toMatchObject({ code: 'taskmanager.slot-out-of-memory' })
    expect(error!.message).toMatch(
      /^Job test job used up the memory of slot tm0_0: .* of a limit of 67108864 bytes/,
    )
    const used = Number(/(\d+) bytes are in use/.exec(error!.message)?.[1] ?? Number.NaN)
    if (how === 'buffers') expect(used).toBeGreaterThan(0.9 * 64 * 1024 ** 2)
    expect(c.status(other!.sink)).toBe('RUNNING')
    expect(c.failedSlots).toEqual([])
    const [again] = await c.deploy({ parallelism: 1, limit: 10 }, place(greedy))
    await c.until(() => c.status(again!.sink) === 'FINISHED', 'use of the slot')
  },
  20_000,
)

test('an idle slot uses hardly any CPU', async () => {
  const { cluster: c, tms } = await started(1)
  const allocationId = await c.allocate(tms[0]!, 0)
  const [task] = await c.deploy({ parallelism: 1, paused: true }, [{ taskManager: tms[0]!, allocationId }])
  await c.until(() => c.status(task!.sink) === 'RUNNING' && c.status(task!.source) === 'RUNNING', 'running')
  await new Promise(resolve => setTimeout(resolve, 300))
  const [worker] = tms[0]!.slotThreads.running
  const before = await worker!.cpuUsage()
  await new Promise(resolve => setTimeout(resolve, 1000))
  const { user, system } = await worker!.cpuUsage(before)
  // The thread alone, in microseconds: other tests may be busy meanwhile.
  expect(user + system).toBeLessThan(50_000)
})

test('a thread is kept ready after a slot was used, and taken by the next one', async () => {
  const { cluster: c, tms } = await started(2)
  const { slotThreads } = tms[0]!
  const first = await c.allocate(tms[0]!, 0)
  const [used] = slotThreads.running
  await c.until(() => slotThreads.spare !== undefined, 'spare thread')
  const { spare } = slotThreads
  expect(spare).not.toBe(used)
  const second = await c.allocate(tms[0]!, 1)
  expect(slotThreads.running).toContain(spare)
  expect(slotThreads.spare).toBeUndefined()
  const places = [first, second].map(allocationId => ({ taskManager: tms[0]!, allocationId }))
  const attempts = await c.deploy({ parallelism: 2, limit: 1000 }, places)
  await c.until(() => attempts.every(({ sink }) => c.status(sink) === 'FINISHED'), 'end')
  await c.until(() => slotThreads.spare !== undefined, 'next spare thread')
  // One that dies is not given to anybody.
  await slotThreads.spare!.terminate()
  expect(slotThreads.spare).toBeUndefined()
})

test('drains: takes no more slots, says so after every registration, and is done when the last one is given back', async () => {
  const { cluster: c, tms } = await started(2)
  const tm = tms[0]!
  const allocationId = await c.allocate(tm, 0)
  let drained = false
  const done = tm.executor.drain().then(() => {
    drained = true
  })
  await c.until(() => c.draining.length === 1 && c.jobsDraining === 1, 'notice of draining')
  const request = {
    slotId: 'tm0_1' as never,
    allocationId: 'y' as never,
    jobId: testGraph({ parallelism: 1 }).jobId,
    jobMasterAddress: c.rpc.address,
    jobMasterEndpoint: 'job-master/test',
  }
  await expect(c.toResource(tm).requestSlot(request)).rejects.toMatchObject({
    code: 'taskmanager.slot-not-allocated',
  })
  c.withdraw('resource-manager')
  c.serveResourceManager()
  await c.until(() => c.draining.length === 2, 'second notice')
  expect(c.draining).toEqual(['instance-1', 'instance-2'])
  expect(drained).toBe(false)
  await c.toJob(tm).freeSlot(allocationId, 'test')
  await done
})

test('drains no longer than its limit', async () => {
  cluster = new FakeCluster()
  const c = cluster
  c.serveResourceManager()
  c.serveJobMaster()
  const tm = await c.taskManager('tm0', 1, { 'taskmanager.drain-timeout': '50 ms' })
  await c.until(() => c.registrations.length === 1, 'registration')
  await c.allocate(tm, 0)
  await tm.executor.drain()
  expect(c.freed).toEqual([])
})
