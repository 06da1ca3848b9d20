import {
  type AllocationId,
  type ExecutionAttemptId,
  type ResourceId,
  SeededRandom,
  type SlotId,
} from '@flink-ts/common'
import type { Failure, TaskExecutionStatus } from '@flink-ts/gateways'
import { sampleGraph } from '../testing/sample-graph.ts'
import { runTranscripts } from '../testing/transcript.ts'
import { JobScheduler } from './job-scheduler.ts'
import type { SchedulerAction, SchedulerEvent, SchedulerTimer } from './scheduler-protocol.ts'

// Attempts are written `a/0#1`: subtask and attempt number. Slot `tm1_0` has the allocation `x/tm1_0`.
runTranscripts(new URL('../testdata/failover/', import.meta.url), () => {
  let scheduler: JobScheduler | undefined
  let nowMs = 0
  let status: string | undefined
  const metrics = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }
  const handle = (event: SchedulerEvent): readonly string[] => {
    const actions = scheduler!.handle(nowMs++, event)
    const output = actions.filter(action => !isQuiet(action)).map(describeAction)
    // Due at once: run here, so that the transcripts show what an offer leads to.
    if (actions.some(action => action.type === 'set-timer' && action.timer === 'deploy')) {
      output.push(...scheduler!.handle(nowMs, { type: 'timer', timer: 'deploy' }).map(describeAction))
    }
    if (status !== scheduler!.status) output.push(`status ${scheduler!.status}`)
    status = scheduler!.status
    return output
  }
  const update = (
    words: readonly string[],
    state: TaskExecutionStatus,
    error?: { name: string; message: string },
  ) =>
    words.flatMap(word => {
      const [, key = '', taskManager = ''] = /^(.*)@(.*)$/.exec(word) ?? []
      const attemptId = fullAttemptId(key)
      const event = { type: 'task-updated' as const, taskManager: taskManager as ResourceId }
      return handle({ ...event, update: { attemptId, status: state, error, metrics } })
    })
  return command => {
    const [verb = '', ...words] = command.split(' ')
    const taskManager = words[0] as ResourceId
    switch (verb) {
      case 'job': {
        const [vertices = '', edges = '', strategy = 'none', checkpoints = 'on'] = words
        const [attempts, delayMs] = strategy.split('x').map(Number)
        const graph = sampleGraph(vertices.replaceAll(',', ' '), edges.replaceAll(',', ' '), {
          checkpointing: checkpoints === 'off' ? { intervalMs: undefined } : {},
        })
        scheduler = new JobScheduler(
          {
            graph,
            graphId: 'g',
            restartStrategy:
              strategy === 'none'
                ? { type: 'none' }
                : { type: 'fixed-delay', attempts: attempts!, delayMs: delayMs! },
            slotRequestTimeoutMs: 300_000,
            slotIdleTimeoutMs: 50_000,
            maxFailureEntries: 16,
          },
          nowMs,
          { random: new SeededRandom(1) },
        )
        status = scheduler.status
        return []
      }
      case 'start':
        return handle({ type: 'initialized' })
      case 'cannot-start':
        return handle({
          type: 'initialization-failed',
          error: { name: 'Error', message: 'no such snapshot' },
        })
      case 'register':
        return handle({ type: 'task-manager-registered', taskManager, dataAddress: `${taskManager}:1` })
      case 'offer': {
        const offers = words.slice(1).map(slot => ({
          slotId: `${taskManager}_${slot}` as SlotId,
          allocationId: `x/${taskManager}_${slot}` as AllocationId,
        }))
        return handle({ type: 'slots-offered', taskManager, offers })
      }
      case 'lost':
        return handle({ type: 'task-manager-lost', taskManager, reason: 'killed' })
      case 'slot-lost': {
        const allocationId = `x/${taskManager}_${words[1]}` as AllocationId
        return handle({
          type: 'slot-lost',
          taskManager,
          allocationId,
          cause: { name: 'Error', message: 'thread died' },
        })
      }
      case 'running':
        return update(words, 'RUNNING')
      case 'finished':
        return update(words, 'FINISHED')
      case 'canceled':
        return update(words, 'CANCELED')
      case 'failed':
        return update(words, 'FAILED', { name: 'Error', message: 'boom' })
      case 'refused':
        return handle({
          type: 'deployment-refused',
          taskManager,
          attemptIds: words.slice(1).map(fullAttemptId),
          cause: { name: 'Error', message: 'no memory' },
        })
      case 'checkpoints-fail':
        return handle({ type: 'global-failure', error: { name: 'Error', message: 'checkpoints fail' } })
      case 'restart-all':
        return handle({ type: 'restart-all' })
      case 'cancel':
        return handle({ type: 'cancel-requested' })
      case 'suspend':
        return handle({ type: 'suspended' })
      case 'timer':
        return handle({ type: 'timer', timer: words[0] as SchedulerTimer })
      case 'states':
        return [...scheduler!.executionGraph.executions()].map(
          execution => `${shortAttemptId(execution.attemptId)} ${execution.state}`,
        )
      case 'failures':
        return scheduler!.failures.flatMap(({ concurrent, ...root }) => [
          describeFailure(root),
          ...concurrent.map(failure => `  with ${describeFailure(failure)}`),
        ])
      default:
        throw new Error(`Unknown command: ${command}`)
    }
  }
})

function describeFailure({ error, task, location }: Failure): string {
  return `${error.message} | ${task} | ${location}`
}

function fullAttemptId(short: string): ExecutionAttemptId {
  const [, vertex, index, attempt] = /^(.*)\/(\d+)#(\d+)$/.exec(short) ?? []
  return `g_${vertex}_${index}_${attempt}` as ExecutionAttemptId
}

function shortAttemptId(attemptId: ExecutionAttemptId): string {
  const [, vertex, index, attempt] = attemptId.split('_')
  return `${vertex}/${index}#${attempt}`
}

/** `deploy` is run at once below; what ends a job ends all timers. */
function isQuiet(action: SchedulerAction): boolean {
  if (action.type === 'cancel-timer') return action.timer === 'deploy' || action.timer === 'slot-idle'
  return action.type === 'set-timer' && action.timer === 'deploy'
}

function describeAction(action: SchedulerAction): string {
  switch (action.type) {
    case 'accept-slots':
      return `accept ${action.allocationIds.length === 0 ? 'none' : action.allocationIds.join(' ')}`
    case 'declare-slots':
      return `declare ${action.slots}`
    case 'deploy': {
      const tasks = action.executions.map(
        e => `${shortAttemptId(e.attemptId)}@${e.location?.allocationId.slice(2)}`,
      )
      return `deploy epoch ${action.epoch}: ${tasks.join(' ')}`
    }
    case 'cancel-task':
      return `cancel ${shortAttemptId(action.attemptId)}@${action.taskManager}`
    case 'free-slot':
      return `free ${action.allocationId} (${action.reason})`
    case 'set-timer':
      return `timer ${action.timer} in ${action.delayMs}`
    case 'cancel-timer':
      return `cancel timer ${action.timer}`
    case 'task-running':
    case 'task-finished':
      return `${action.type} ${shortAttemptId(action.attemptId)}`
    case 'tasks-stopped':
      return `tasks-stopped ${action.attemptIds.map(shortAttemptId).join(' ')}`
    case 'job-terminated':
      return 'terminated'
  }
}
