import { ManualClock, nullLogger, type ResourceId, SeededRandom } from '@flink-ts/common'
import {
  type CoordinatorReport,
  type CoordinatorsDeployment,
  JOB_HOSTS_ENDPOINT,
  type JobHostsGateway,
  jobHostsGateway,
} from '@flink-ts/gateways'
import { InProcessNetwork, InProcessRpcService } from '@flink-ts/rpc'
import { describe, expect, it } from 'vitest'
import { JobHostPool } from './job-host-pool.ts'
import type { CoordinatorsListener } from './job-hosts.ts'

interface FakeHost {
  readonly token: string
  readonly calls: string[]
  register(): Promise<JobHostsGateway>
  /** As kill -9. */
  die(): void
  stopped: boolean
}

function world() {
  const clock = new ManualClock()
  const network = new InProcessNetwork({ clock })
  const random = new SeededRandom(1)
  const service = (name: string): InProcessRpcService =>
    new InProcessRpcService(
      { resourceId: name as ResourceId, version: '1' },
      { network, clock, random, logger: nullLogger },
    )
  const rpc = service('jm')
  const hosts: FakeHost[] = []
  const pool = new JobHostPool(
    { idleTimeoutMs: 1000, startTimeoutMs: 5000 },
    {
      ...{ rpc, clock, random, logger: nullLogger },
      launcher: {
        launch: token => {
          const { promise: ended, resolve } = Promise.withResolvers<string>()
          const own = service(`host-${hosts.length}`)
          const host: FakeHost = {
            token,
            calls: [],
            stopped: false,
            register: async () => {
              const session = await own.connect(rpc.address, JOB_HOSTS_ENDPOINT, {
                name: 'job-host',
                handlers: () => ({
                  startCoordinators: async ({ jobId, run }: CoordinatorsDeployment) => {
                    host.calls.push(`start ${jobId}/${run}`)
                  },
                  tellCoordinators: async (_: unknown, { type }: { type: string }) => {
                    if (type === 'complete') throw new Error('too large')
                    host.calls.push(type)
                  },
                  stopCoordinators: async ({ jobId }: { jobId: string }) => {
                    host.calls.push(`stop ${jobId}`)
                  },
                }),
              })
              const gateway = session.gateway(jobHostsGateway)
              await gateway.registerJobHost({ token, pid: 1 })
              return gateway
            },
            die: () => {
              own.kill()
              resolve('its process ended by SIGKILL')
            },
          }
          hosts.push(host)
          const stop = async (): Promise<void> => {
            host.stopped = true
            own.kill()
            resolve('stopped')
          }
          return { ended, stop }
        },
      },
    },
  )
  pool.serve()
  const deployment = (jobId: string, run: number): CoordinatorsDeployment =>
    ({ jobId, run, job: { graph: { name: jobId } }, states: [] }) as unknown as CoordinatorsDeployment
  const heard: string[] = []
  const listener = (name: string): CoordinatorsListener => ({
    report: (report: CoordinatorReport) => heard.push(`${name} ${report.type}`),
    lost: ({ code, message }) => heard.push(`${name} lost ${code} ${message}`),
  })
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await network.settle(100)
  }
  /** In steps that heartbeats can follow. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(left, 500))
      await settle()
    }
  }
  return { pass, pool, hosts, deployment, listener, heard, settle, service, rpc }
}

describe('JobHostPool', () => {
  it('starts one host when it is needed, keeps calls until it is there, and ends it when it is idle', async () => {
    const { pass, pool, hosts, deployment, listener, heard, settle } = world()
    expect(hosts).toHaveLength(0)
    pool.reserve('a' as never)
    pool.reserve('b' as never)
    expect(hosts).toHaveLength(1)
    const a = pool.start(deployment('a', 1), listener('a'))
    a.tell({ type: 'snapshot', checkpointId: 1 })
    pool.start(deployment('b', 1), listener('b'))
    const gateway = await hosts[0]!.register()
    await settle()
    expect(hosts[0]!.calls).toEqual(['start a/1', 'snapshot', 'start b/1'])
    await gateway.reportOfCoordinators({ jobId: 'a' as never, run: 1 }, { type: 'started' })
    await gateway.reportOfCoordinators({ jobId: 'a' as never, run: 0 }, { type: 'started' })
    expect(heard).toEqual(['a started'])
    await a.stop()
    expect(hosts[0]!.calls.at(-1)).toBe('stop a')
    pool.release('a' as never)
    await pass(5000)
    expect(hosts[0]!.stopped).toBe(false)
    pool.release('b' as never)
    await pass(999)
    pool.reserve('c' as never)
    await pass(1000)
    expect(hosts[0]!.stopped).toBe(false)
    pool.release('c' as never)
    await pass(1000)
    expect(hosts[0]!.stopped).toBe(true)
    expect(heard).toEqual(['a started'])
  })

  it('tells all jobs when the host dies, and starts another for the next run', async () => {
    const { pool, hosts, deployment, listener, heard, settle } = world()
    for (const jobId of ['a', 'b']) pool.reserve(jobId as never)
    const a = pool.start(deployment('a', 1), listener('a'))
    pool.start(deployment('b', 1), listener('b'))
    await hosts[0]!.register()
    await settle()
    hosts[0]!.die()
    await settle()
    expect(heard.map(text => text.split(' ').slice(0, 3).join(' '))).toEqual([
      'a lost jobmanager.job-host-lost',
      'b lost jobmanager.job-host-lost',
    ])
    expect(heard[0]).toContain('SIGKILL')
    a.tell({ type: 'snapshot', checkpointId: 1 })
    await a.stop()
    pool.start(deployment('a', 2), listener('a'))
    expect(hosts).toHaveLength(2)
    await hosts[1]!.register()
    await settle()
    expect(hosts[1]!.calls).toEqual(['start a/2'])
    // The dead one registers no more.
    await expect(hosts[0]!.register()).rejects.toBeDefined()
  })

  it('gives up a host that does not register, and lets no stranger in', async () => {
    const { pass, pool, hosts, deployment, listener, heard, settle, service, rpc } = world()
    pool.reserve('a' as never)
    pool.start(deployment('a', 1), listener('a'))
    const session = await service('stranger').connect(rpc.address, JOB_HOSTS_ENDPOINT, {
      name: 'job-host',
      handlers: () => ({}),
    })
    const stranger = session.gateway(jobHostsGateway)
    await expect(stranger.registerJobHost({ token: 'guess', pid: 2 })).rejects.toMatchObject({
      code: 'jobmanager.unknown-job-host',
    })
    await stranger.reportOfCoordinators({ jobId: 'a' as never, run: 1 }, { type: 'started' })
    expect(heard).toEqual([])
    await pass(5000)
    await settle()
    expect(heard[0]).toContain('did not register within 5000 ms')
    expect(hosts[0]!.stopped).toBe(true)
  })

  it('a run that was stopped before the host was there never starts', async () => {
    const { pool, hosts, deployment, listener, settle } = world()
    pool.reserve('a' as never)
    await pool.start(deployment('a', 1), listener('a')).stop()
    pool.start(deployment('a', 2), listener('a'))
    await hosts[0]!.register()
    await settle()
    expect(hosts[0]!.calls).toEqual(['start a/2'])
  })

  it('ends a run in its host when it cannot be told something', async () => {
    const { pool, hosts, deployment, listener, heard, settle } = world()
    pool.reserve('a' as never)
    const a = pool.start(deployment('a', 1), listener('a'))
    await hosts[0]!.register()
    a.tell({ type: 'complete', checkpointId: 1 })
    await settle()
    expect(heard).toEqual([expect.stringContaining('too large')])
    expect(hosts[0]!.calls).toEqual(['start a/1', 'stop a'])
  })

  it('ends the host when it is closed', async () => {
    const { pool, hosts } = world()
    pool.reserve('a' as never)
    await pool.close()
    expect(hosts[0]!.stopped).toBe(true)
  })

  it('starts no host after it was closed, and says so', async () => {
    const { pool, hosts } = world()
    await pool.close()
    const lost: unknown[] = []
    const listener = { report: () => {}, lost: (error: unknown) => lost.push(error) } as CoordinatorsListener
    pool.start({ jobId: 'a', run: 1 } as unknown as CoordinatorsDeployment, listener)
    expect(lost).toEqual([])
    const stopped = pool.start({ jobId: 'b', run: 1 } as unknown as CoordinatorsDeployment, {
      report: () => {},
      lost: () => lost.push('told after it was stopped'),
    })
    await stopped.stop()
    await Promise.resolve()
    expect(lost).toMatchObject([{ code: 'jobmanager.job-host-lost' }])
    expect(hosts).toEqual([])
  })
})
