import { ManualClock, nullLogger } from '@flink-ts/common'
import type {
  CoordinatorReport,
  CoordinatorsDeployment,
  CoordinatorsRun,
  JobHostGateway,
} from '@flink-ts/gateways'
import type { RpcClient } from '@flink-ts/rpc'
import { describe, expect, it } from 'vitest'
import type { ThreadCommand, ThreadReport } from '../coordinators/thread-messages.ts'
import { JobHost } from './job-host.ts'

interface FakeThread {
  readonly commands: string[]
  say(report: ThreadReport): void
  end(exitCode: number): void
  ended: boolean
}

/** A job host whose JobManager and threads are the test. */
async function world(refuse: (report: CoordinatorReport) => boolean = () => false, closes = true) {
  const clock = new ManualClock()
  const reports: string[] = []
  const threads: FakeThread[] = []
  const session = { lost: false, lose: (_: Error): void => {} }
  let handlers: JobHostGateway | undefined
  const rpc = {
    connect: async (_address: string, _endpoint: string, local: { handlers: () => JobHostGateway }) => {
      handlers = local.handlers()
      return {
        get lost() {
          return session.lost
        },
        onLost: (listener: (cause: Error) => void) => {
          session.lose = listener
        },
        close: () => {},
        gateway: () => ({
          registerJobHost: async ({ token }: { token: string }) => void reports.push(`register ${token}`),
          reportOfCoordinators: async ({ jobId, run }: CoordinatorsRun, report: CoordinatorReport) => {
            if (refuse(report)) throw new Error('too large')
            reports.push(`${jobId}/${run} ${report.type}`)
          },
        }),
      }
    },
    blobs: {},
  }
  const lost: string[] = []
  const host = new JobHost(
    { jobManagerAddress: 'jm:1', token: 't', pid: 1, folder: '/', threadLogger: { level: 'error' } },
    {
      rpc: rpc as unknown as RpcClient,
      clock,
      logger: nullLogger,
      onLost: reason => lost.push(reason),
      threads: {
        prepare: () => {},
        close: async () => {},
        start: listener => {
          const thread: FakeThread = {
            commands: [],
            ended: false,
            say: report => listener.report(report),
            end: exitCode => {
              thread.ended = true
              listener.ended(exitCode, undefined)
            },
          }
          threads.push(thread)
          return {
            post: (command: ThreadCommand) => {
              thread.commands.push(command.type === 'command' ? command.command.type : command.type)
              if (command.type === 'close' && closes) listener.report({ type: 'closed' })
            },
            terminate: async () => {
              if (!thread.ended) thread.end(1)
            },
          }
        },
      },
    },
  )
  await host.start()
  const program = { code: { type: 'module', url: 'file:///job.ts' } }
  const deployment = (run: number): CoordinatorsDeployment =>
    ({
      jobId: 'a',
      run,
      job: { program, graph: { name: 'job a' } },
      states: [],
    }) as unknown as CoordinatorsDeployment
  const id = (run: number): CoordinatorsRun => ({ jobId: 'a' as never, run })
  const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  return {
    host,
    clock,
    gateway: handlers as JobHostGateway,
    reports,
    threads,
    session,
    lost,
    deployment,
    id,
    settle,
  }
}

const report = (content: CoordinatorReport): ThreadReport => ({ type: 'report', report: content })

describe('JobHost', () => {
  it('runs each job in a thread, keeps commands until the code is there, ignores those of other runs', async () => {
    const { gateway, reports, threads, deployment, id, settle } = await world()
    expect(reports).toEqual(['register t'])
    void gateway.startCoordinators(deployment(1)) // accepted at once
    void gateway.tellCoordinators(id(1), { type: 'snapshot', checkpointId: 1 })
    void gateway.tellCoordinators(id(7), { type: 'complete', checkpointId: 1 })
    await settle()
    expect(threads[0]?.commands).toEqual(['run', 'snapshot'])
    threads[0]?.say(report({ type: 'started' }))
    await settle()
    expect(reports).toEqual(['register t', 'a/1 started'])
    await gateway.startCoordinators(deployment(2))
    await settle()
    expect(threads[0]?.ended).toBe(true)
    expect(threads[1]?.commands).toEqual(['run'])
    await gateway.stopCoordinators(id(2))
    expect(threads[1]?.commands).toEqual(['run', 'close'])
    expect(threads[1]?.ended).toBe(true)
    // An end that was asked for is no failure.
    expect(reports).toEqual(['register t', 'a/1 started'])
  })

  it('reports a thread that ends by itself, once', async () => {
    const { gateway, reports, threads, deployment, settle } = await world()
    await gateway.startCoordinators(deployment(1))
    await settle()
    threads[0]?.end(3)
    await settle()
    expect(reports).toEqual(['register t', 'a/1 failed'])
  })

  it('a state that cannot be told fails the checkpoint, an event that cannot be told fails the run', async () => {
    const { gateway, reports, threads, deployment, settle } = await world(
      ({ type }) => type === 'snapshot' || type === 'event',
    )
    await gateway.startCoordinators(deployment(1))
    await settle()
    threads[0]?.say(report({ type: 'snapshot', checkpointId: 1, states: [] }))
    await settle()
    expect(reports.slice(1)).toEqual(['a/1 snapshot-failed'])
    const event = {
      operatorId: 'o' as never,
      subtaskIndex: 0,
      attemptId: 'x' as never,
      event: new Uint8Array(1),
    }
    threads[0]?.say(report({ type: 'event', ...event }))
    await settle()
    expect(reports.slice(1)).toEqual(['a/1 snapshot-failed', 'a/1 failed'])
  })

  it('closes the coordinators of a run that failed and ends its thread, whether or not another run follows', async () => {
    const { gateway, reports, threads, deployment, settle } = await world()
    await gateway.startCoordinators(deployment(1))
    await settle()
    threads[0]?.say(report({ type: 'failed', error: { name: 'Error', message: 'no listing' } as never }))
    await settle()
    expect(reports.slice(1)).toEqual(['a/1 failed'])
    expect(threads[0]?.commands).toEqual(['run', 'close'])
    expect(threads[0]?.ended).toBe(true)
  })

  it('does not start a run before the former one of the job has closed', async () => {
    const { gateway, threads, clock, deployment, id, settle } = await world(() => false, false)
    await gateway.startCoordinators(deployment(1))
    await settle()
    const stopped = gateway.stopCoordinators(id(1))
    await gateway.startCoordinators(deployment(2))
    await settle()
    expect([threads[0]?.commands, threads[1]?.commands]).toEqual([['run', 'close'], []])
    threads[0]?.say({ type: 'closed' })
    await stopped
    await settle()
    expect(threads[1]?.commands).toEqual(['run'])
    // One that does not close is ended after a while.
    await gateway.startCoordinators(deployment(3))
    await settle()
    expect(threads[2]?.commands).toEqual([])
    clock.advance(1000)
    await settle()
    expect([threads[1]?.ended, threads[2]?.commands]).toEqual([true, ['run']])
  })

  it('says so when its JobManager is gone, and ends its threads when it is closed', async () => {
    const { host, gateway, threads, session, lost, deployment, settle } = await world()
    await gateway.startCoordinators(deployment(1))
    await settle()
    session.lose(new Error('broken'))
    expect(lost).toEqual(['broken'])
    await host.close()
    expect(threads[0]?.ended).toBe(true)
  })
})
