import type { ExecutionState } from '@flink-ts/gateways'

// CREATED -> SCHEDULED -> DEPLOYING -> INITIALIZING -> RUNNING -> FINISHED
//    from each of these: -> CANCELED (nothing runs yet), -> CANCELING -> CANCELED, -> FAILED
const TRANSITIONS: Readonly<Record<ExecutionState, readonly ExecutionState[]>> = {
  CREATED: ['SCHEDULED', 'CANCELED', 'FAILED'],
  SCHEDULED: ['DEPLOYING', 'CANCELED', 'FAILED'],
  DEPLOYING: ['INITIALIZING', 'RUNNING', 'FINISHED', 'CANCELING', 'CANCELED', 'FAILED'],
  INITIALIZING: ['RUNNING', 'FINISHED', 'CANCELING', 'CANCELED', 'FAILED'],
  RUNNING: ['FINISHED', 'CANCELING', 'CANCELED', 'FAILED'],
  // A task that was asked to stop may have ended by itself meanwhile: for its attempt that is as good as canceled.
  CANCELING: ['CANCELED', 'FAILED'],
  FINISHED: [],
  CANCELED: [],
  FAILED: [],
  RECONCILING: [],
}

/** Whether an execution may go from one state to another. */
export function canTransition(from: ExecutionState, to: ExecutionState): boolean {
  return TRANSITIONS[from].includes(to)
}

/** Whether nothing runs any more, and never will in this attempt. */
export function isTerminalExecution(state: ExecutionState): boolean {
  return state === 'FINISHED' || state === 'CANCELED' || state === 'FAILED'
}

/** Whether a TaskManager may have the task: between the call to deploy it and its end. */
export function isDeployed(state: ExecutionState): boolean {
  return state === 'DEPLOYING' || state === 'INITIALIZING' || state === 'RUNNING' || state === 'CANCELING'
}

/** The state of a vertex from the states of its subtasks, as Flink shows it. */
export function aggregateExecutionState(states: readonly ExecutionState[]): ExecutionState {
  const precedence: readonly ExecutionState[] = ['FAILED', 'CANCELING', 'CANCELED', 'INITIALIZING', 'RUNNING']
  for (const state of precedence) if (states.includes(state)) return state
  if (states.length > 0 && states.every(state => state === 'FINISHED')) return 'FINISHED'
  return states.includes('FINISHED') ? 'RUNNING' : 'CREATED'
}
