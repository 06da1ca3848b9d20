import type { ExecutionAttemptId, OperatorId } from '@flink-ts/common'
import type { JobStatus } from '@flink-ts/jobgraph'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import { runTranscripts } from '../testing/transcript.ts'
import { CheckpointCoordinator } from './checkpoint-coordinator.ts'
import type { CoordinatorAction, CoordinatorEvent } from './coordinator-protocol.ts'
import type { RestoredSnapshot } from './coordinator-state.ts'

// Attempts are written `source/0#0`: subtask and attempt number.
runTranscripts(new URL('../testdata/checkpoint/', import.meta.url), () => {
  let coordinator: CheckpointCoordinator | undefined
  let nowMs = 0
  let dueMs = new Map<string, number>()
  const reason = { name: 'Error', message: 'disk full' }
  const handle = (event: CoordinatorEvent): readonly string[] => {
    const time = { epochMs: 1_000_000 + nowMs, monotonicMs: nowMs }
    const actions = coordinator!.handle(time, event)
    for (const action of actions) {
      if (action.type === 'set-timer') dueMs.set(action.timer, nowMs + action.delayMs)
      if (action.type === 'cancel-timer') dueMs.delete(action.timer)
    }
    return actions.map(describeAction)
  }
  const advance = (ms: number): readonly string[] => {
    const target = nowMs + ms
    const output: string[] = []
    for (;;) {
      const next = [...dueMs].filter(([, due]) => due <= target).sort((a, b) => a[1] - b[1])[0]
      if (next === undefined) break
      nowMs = next[1]
      dueMs.delete(next[0])
      output.push(
        `at ${nowMs}:`,
        ...handle({ type: 'timer', timer: next[0] as 'trigger' }).map(line => `  ${line}`),
      )
    }
    nowMs = target
    return output
  }
  return command => {
    const [verb = '', ...words] = command.split(' ')
    const attemptId = words[0] as ExecutionAttemptId
    const checkpointId = Number(words[1])
    switch (verb) {
      case 'job': {
        const [vertices = '', edges = '', ...settings] = words
        const restored = settings.find(word => word.startsWith('restored='))?.slice('restored='.length)
        const pairs = settings
          .filter(word => !word.startsWith('restored='))
          .map(word => word.split('='))
          .map(([k, v]) => [k, k?.startsWith('ext') ? v : v === 'none' ? undefined : Number(v)])
        const graph = sampleGraph(vertices.replaceAll(',', ' '), edges.replaceAll(',', ' '), {
          checkpointing: Object.fromEntries(pairs),
        })
        dueMs = new Map()
        coordinator = new CheckpointCoordinator({
          graph,
          restored: restored === undefined ? undefined : restoredFrom(restored),
        })
        return []
      }
      case 'deploy': {
        const tasks = words.map(word => ({
          key: word.split('#')[0] as SubtaskKey,
          attemptId: word as ExecutionAttemptId,
        }))
        return handle({ type: 'tasks-deployed', tasks })
      }
      case 'running':
        return words.flatMap(word => handle({ type: 'task-running', attemptId: word as ExecutionAttemptId }))
      case 'finished':
        return words.flatMap(word => handle({ type: 'task-finished', attemptId: word as ExecutionAttemptId }))
      case 'end-of-data':
        return words.flatMap(word => handle({ type: 'end-of-data', attemptId: word as ExecutionAttemptId }))
      case 'stop':
        return handle({ type: 'tasks-stopped', attemptIds: words as ExecutionAttemptId[] })
      case 'ack': {
        const operatorId = `op-${attemptId.split('/')[0]}` as OperatorId
        const location = { type: 'inline' as const, base64: '' }
        const state = { operators: [{ operatorId, keyed: [], operator: [{ states: [], location }] }] }
        return handle({ type: 'acknowledged', acknowledgement: { attemptId, checkpointId, state } })
      }
      case 'waits':
        return handle({ type: 'task-waits', attemptId, checkpointId, what: words.slice(2).join(' ') })
      case 'decline':
        return handle({
          type: 'declined',
          decline: {
            attemptId,
            checkpointId,
            reason:
              words[2] === 'not-possible'
                ? { ...reason, code: 'taskmanager.checkpoint-not-possible' }
                : reason,
          },
        })
      case 'trigger-failed':
        return handle({ type: 'trigger-failed', checkpointId: Number(words[0]), reason })
      case 'by-hand':
        return handle({ type: 'checkpoint-requested', requestId: words[0]! })
      case 'savepoint':
      case 'suspend':
      case 'drain': {
        const stop = verb === 'savepoint' ? 'no' : verb
        return handle({ type: 'savepoint-requested', requestId: words[0]!, folder: `sp-${words[0]}`, stop })
      }
      case 'stored':
        return handle({
          type: 'stored',
          checkpointId: Number(words[0]),
          pointer: words[1] ?? `chk-${words[0]}`,
        })
      case 'store-failed':
        return handle({ type: 'store-failed', checkpointId: Number(words[0]), reason })
      case 'over':
        return handle({ type: 'job-over', status: words[0] as JobStatus })
      case 'advance':
        return advance(Number(words[0]))
      case 'restore-point':
        return [`checkpoint ${coordinator!.restorePoint?.checkpointId ?? 'none'}`]
      case 'counts': {
        const { triggered, completed, failed, inProgress } = coordinator!.counts
        return [`triggered ${triggered}, completed ${completed}, failed ${failed}, in progress ${inProgress}`]
      }
      default:
        throw new Error(`Unknown command: ${command}`)
    }
  }
})

/** `claim` or `no-claim`: of a snapshot with id 7. */
function restoredFrom(mode: string): RestoredSnapshot {
  const metadata = { version: 1, checkpointId: 7, jobId: 'b'.repeat(32), timestamp: 0, operators: [] }
  return { pointer: 'snapshot-7', metadata, claimed: mode === 'claim' }
}

function target({ trigger: { savepoint } }: Extract<CoordinatorAction, { type: 'trigger' }>): string {
  return savepoint === false ? '' : ` into ${savepoint.folder}${savepoint.suspend ? ', suspending' : ''}`
}

function describeAction(action: CoordinatorAction): string {
  switch (action.type) {
    case 'snapshot-coordinators':
      return `snapshot coordinators ${action.checkpointId}`
    case 'trigger':
      return `trigger ${action.trigger.checkpointId}${target(action)}: ${action.attemptIds.join(' ')}`
    case 'store': {
      const operators = action.metadata.operators.map(
        o => `${o.operatorId}[${o.subtasks.map(s => s.index).join(',')}]`,
      )
      const place = action.savepoint === undefined ? '' : ` in ${action.savepoint}`
      return `store ${action.metadata.checkpointId}${place}: ${operators.join(' ')}`
    }
    case 'notify-complete':
      return (
        `complete ${action.checkpointId}: ${action.attemptIds.join(' ')}` +
        (action.slowest === undefined ? '' : ` (slowest: ${action.slowest})`)
      )
    case 'notify-aborted':
      return `aborted ${action.checkpointId}: ${action.attemptIds.join(' ')} (${action.reason})`
    case 'retire':
      return `retire ${action.checkpointId}`
    case 'discard':
      return `discard ${action.savepoint ?? action.checkpointId}`
    case 'drain-sources':
      return `drain ${action.attemptIds.join(' ')}`
    case 'checkpoint-completed':
      return `answer ${action.requestId}: checkpoint ${action.checkpointId}`
    case 'savepoint-completed':
      return `answer ${action.requestId}: ${action.pointer}`
    case 'savepoint-failed':
      return `answer ${action.requestId}: ${action.error.message}`
    case 'discard-job':
      return 'discard job'
    case 'set-timer':
      return `timer ${action.timer} in ${action.delayMs}`
    case 'cancel-timer':
      return `cancel timer ${action.timer}`
    case 'fail-job':
      return `fail job: ${action.error.code}`
    case 'restart-all':
      return 'restart all'
  }
}
