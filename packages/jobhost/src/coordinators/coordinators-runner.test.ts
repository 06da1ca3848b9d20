import { type ExecutionAttemptId, nullLogger, type OperatorId } from '@flink-ts/common'
import type { CoordinatorReport, CoordinatorsDeployment } from '@flink-ts/gateways'
import type { CoordinatorContext, OperatorCoordinator, ReplayedProgram } from '@flink-ts/operators'
import { describe, expect, it } from 'vitest'
import { CoordinatorsRunner } from './coordinators-runner.ts'

const OPERATOR = 'a'.repeat(32) as OperatorId
const bytes = (text: string): Uint8Array => Buffer.from(text)
const attempt = (name: string): ExecutionAttemptId => name as ExecutionAttemptId

/** A run of one coordinator that does what the test says. */
function world(
  make: (context: CoordinatorContext, calls: string[]) => Partial<OperatorCoordinator>,
  states: CoordinatorsDeployment['states'] = [],
) {
  const calls: string[] = []
  const reports: CoordinatorReport[] = []
  const operator = { operatorId: OPERATOR, nodeId: 1, name: 'numbers', coordinated: true }
  const deployment = {
    jobId: 'job',
    run: 1,
    job: {
      jobId: 'job',
      graph: {
        name: 'job',
        vertices: [{ parallelism: 2, operators: [operator, { operatorId: 'b', nodeId: 2 }] }],
      },
    },
    restoredCheckpointId: states.length > 0 ? 5 : undefined,
    states,
  } as unknown as CoordinatorsDeployment
  const program = {
    operatorFactory: () => ({
      coordinator: {
        create: (context: CoordinatorContext, restored: Uint8Array | undefined): OperatorCoordinator => {
          calls.push(`create from ${restored === undefined ? 'nothing' : Buffer.from(restored).toString()}`)
          return {
            start: () => void calls.push('start'),
            handleEvent: (subtask, event) =>
              void calls.push(`event ${subtask} ${Buffer.from(event).toString()}`),
            subtaskReset: (subtask, checkpointId) => void calls.push(`reset ${subtask} to ${checkpointId}`),
            snapshot: checkpointId => bytes(`state ${checkpointId}`),
            ...make(context, calls),
          }
        },
      },
    }),
  } as unknown as ReplayedProgram
  const runner = new CoordinatorsRunner(deployment, {
    program,
    report: report => reports.push(report),
    logger: nullLogger,
  })
  return { runner, calls, reports }
}

describe('CoordinatorsRunner', () => {
  it('handles in order what came before the start, and only then', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { runner, calls, reports } = world(
      () => ({ start: () => promise }),
      [{ operatorId: OPERATOR, state: bytes('s5') }],
    )
    const started = runner.start()
    runner.handle({
      type: 'event',
      operatorId: OPERATOR,
      subtaskIndex: 1,
      attemptId: attempt('x'),
      event: bytes('e'),
    })
    runner.handle({ type: 'snapshot', checkpointId: 6 })
    expect(reports).toEqual([])
    resolve()
    await started
    expect(calls).toEqual(['create from s5', 'event 1 e'])
    expect(reports).toEqual([
      { type: 'started' },
      { type: 'snapshot', checkpointId: 6, states: [{ operatorId: OPERATOR, state: bytes('state 6') }] },
    ])
  })

  it('sends to the attempt that spoke last, and to nobody between a reset and the next word', async () => {
    let send = (_: string): void => {}
    const { runner, reports } = world(context => {
      send = text => context.sendEvent(0, bytes(text))
      return {}
    })
    await runner.start()
    send('nobody is there')
    runner.handle({
      type: 'event',
      operatorId: OPERATOR,
      subtaskIndex: 0,
      attemptId: attempt('1'),
      event: bytes(''),
    })
    send('first')
    runner.handle({ type: 'reset', subtasks: [{ operatorId: OPERATOR, subtaskIndex: 0 }], checkpointId: 3 })
    send('nobody again')
    runner.handle({
      type: 'event',
      operatorId: OPERATOR,
      subtaskIndex: 0,
      attemptId: attempt('2'),
      event: bytes(''),
    })
    send('second')
    const events = reports.flatMap(report =>
      report.type === 'event' ? [`${report.attemptId} ${Buffer.from(report.event).toString()}`] : [],
    )
    expect(events).toEqual(['1 first', '2 second'])
  })

  it.each([
    ['start', (error: Error) => ({ start: () => Promise.reject(error) })],
    [
      'handleEvent',
      (error: Error) => ({
        handleEvent: () => {
          throw error
        },
      }),
    ],
    [
      'notifyCheckpointComplete',
      (error: Error) => ({ notifyCheckpointComplete: () => Promise.reject(error) }),
    ],
  ])('reports a failure in %s once, names the operator, and says nothing more', async (step, make) => {
    const { runner, reports } = world(() => make(new Error('no such bucket')))
    await runner.start()
    for (let i = 0; i < 2; i++) {
      runner.handle({
        type: 'event',
        operatorId: OPERATOR,
        subtaskIndex: 0,
        attemptId: attempt('1'),
        event: bytes(''),
      })
      runner.handle({ type: 'complete', checkpointId: 1 })
    }
    await new Promise(resolve => setImmediate(resolve))
    runner.handle({ type: 'snapshot', checkpointId: 2 })
    const failures = reports.filter(report => report.type === 'failed')
    expect(failures).toMatchObject([{ error: { code: 'jobhost.coordinator-failed' } }])
    expect(failures[0]?.error.message).toBe(
      `no such bucket (thrown by ${step} of the coordinator of operator 'numbers' in the job host)`,
    )
    expect(reports.at(-1)?.type).toBe('failed')
  })

  it('a snapshot that fails fails only the checkpoint', async () => {
    const { runner, reports } = world(() => ({
      snapshot: checkpointId => {
        if (checkpointId === 1) throw new Error('not now')
        return bytes('ok')
      },
    }))
    await runner.start()
    runner.handle({ type: 'snapshot', checkpointId: 1 })
    runner.handle({ type: 'snapshot', checkpointId: 2 })
    expect(reports.map(report => report.type)).toEqual(['started', 'snapshot-failed', 'snapshot'])
  })

  it('closes all, and what happens then is no failure', async () => {
    let fail = (): void => {}
    const { runner, calls, reports } = world((context, made) => {
      fail = () => context.fail(new Error('late'))
      return { close: () => void made.push('close') }
    })
    await runner.start()
    await runner.close()
    fail()
    runner.handle({ type: 'snapshot', checkpointId: 1 })
    expect(calls.at(-1)).toBe('close')
    expect(reports).toEqual([{ type: 'started' }])
  })
})
