import { type ExecutionAttemptId, type OperatorId, SeededRandom } from '@flink-ts/common'
import { describe, expect, it } from 'vitest'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import { CheckpointCoordinator } from './checkpoint-coordinator.ts'
import type { CoordinatorAction, CoordinatorEvent, CoordinatorTimer } from './coordinator-protocol.ts'

const KEYS: readonly SubtaskKey[] = ['source/0', 'source/1', 'sink/0', 'sink/1']

/** A coordinator under a random course of events, with what must always hold checked after each. */
class Simulation {
  readonly random: SeededRandom
  readonly maxConcurrent: number
  readonly coordinator: CheckpointCoordinator
  readonly attempts = new Map<SubtaskKey, number>()
  readonly acknowledged = new Map<number, Set<ExecutionAttemptId>>()
  readonly participants = new Map<number, readonly ExecutionAttemptId[]>()
  readonly storing = new Set<number>()
  /** Checkpoints with files in storage that nobody has removed. */
  readonly folders = new Set<number>()
  readonly open = new Set<number>()
  readonly dueMs = new Map<CoordinatorTimer, number>()
  nowMs = 0
  lastId = 0
  readonly completed: number[] = []
  /** Savepoints that were asked for and not answered. */
  readonly asked = new Map<string, 'no' | 'suspend'>()
  /** Folders of savepoints by checkpoint id. */
  readonly savepointOf = new Map<number, string>()
  readonly savepointFolders = new Set<string>()
  /** The savepoint that ends the job is complete. */
  stoppedBy: number | undefined
  requests = 0
  /** Savepoints whose metadata is there. */
  readonly durable = new Set<number>()
  savepointsTaken = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.maxConcurrent = 1 + Math.floor(this.random.next() * 3)
    const checkpointing = {
      maxConcurrent: this.maxConcurrent,
      retained: 1 + Math.floor(this.random.next() * 3),
      tolerableFailures: 1_000_000,
      timeoutMs: 4000,
    }
    const graph = sampleGraph('source*2 sink*2', 'source>sink', { checkpointing })
    this.coordinator = new CheckpointCoordinator({ graph, restored: undefined })
    this.restart(KEYS)
  }

  handle(event: CoordinatorEvent): void {
    const actions = this.coordinator.handle({ epochMs: this.nowMs, monotonicMs: this.nowMs }, event)
    for (const action of actions) this.perform(action)
    expect(this.open.size).toBeLessThanOrEqual(this.maxConcurrent)
    expect(this.coordinator.counts.inProgress).toBe(this.open.size)
  }

  perform(action: CoordinatorAction): void {
    switch (action.type) {
      case 'trigger': {
        const { checkpointId } = action.trigger
        expect(checkpointId).toBeGreaterThan(this.lastId)
        this.lastId = checkpointId
        const { savepoint } = action.trigger
        // Nothing beside a savepoint, and nothing after the one that ends the job.
        expect(this.stoppedBy).toBeUndefined()
        if (savepoint !== false || [...this.open].some(id => this.savepointOf.has(id)))
          expect(this.open.size).toBe(0)
        this.open.add(checkpointId)
        if (savepoint === false) this.folders.add(checkpointId)
        else {
          this.savepointOf.set(checkpointId, savepoint.folder)
          this.savepointFolders.add(savepoint.folder)
        }
        this.acknowledged.set(checkpointId, new Set())
        this.participants.set(checkpointId, this.currentAttempts())
        break
      }
      case 'store': {
        const { checkpointId, operators } = action.metadata
        expect(action.savepoint).toBe(this.savepointOf.get(checkpointId))
        // Complete only with everyone, in the attempt that ran when it was triggered and still does.
        expect([...this.acknowledged.get(checkpointId)!].sort()).toEqual(
          [...this.participants.get(checkpointId)!].sort(),
        )
        expect(this.participants.get(checkpointId)).toEqual(this.currentAttempts())
        expect(operators.map(operator => operator.subtasks.length)).toEqual([2, 2])
        this.storing.add(checkpointId)
        break
      }
      case 'notify-complete':
        expect(action.checkpointId).toBeGreaterThan(this.completed.at(-1) ?? 0)
        this.completed.push(action.checkpointId)
        this.open.delete(action.checkpointId)
        break
      case 'notify-aborted':
        this.open.delete(action.checkpointId)
        break
      case 'discard':
        // Never while its metadata may be written after the removal.
        expect(this.storing.has(action.checkpointId)).toBe(false)
        this.folders.delete(action.checkpointId)
        if (action.savepoint !== undefined) this.savepointFolders.delete(action.savepoint)
        this.open.delete(action.checkpointId)
        break
      case 'retire':
        // Never what a restart would begin with, and only what is there.
        expect(this.coordinator.restorePoint?.checkpointId).not.toBe(action.checkpointId)
        expect(this.folders.has(action.checkpointId)).toBe(true)
        expect(this.completed).toContain(action.checkpointId)
        break
      case 'set-timer':
        this.dueMs.set(action.timer, this.nowMs + action.delayMs)
        break
      case 'cancel-timer':
        this.dueMs.delete(action.timer)
        // The timer of a checkpoint ends with it.
        if (action.timer !== 'trigger') this.open.delete(Number(action.timer.slice('expire/'.length)))
        break
      case 'savepoint-completed':
        this.savepointsTaken++
        expect(this.savepointFolders.has(action.pointer)).toBe(true)
        this.savepointFolders.delete(action.pointer)
        expect(this.asked.delete(action.requestId)).toBe(true)
        break
      case 'checkpoint-completed':
      case 'savepoint-failed':
        expect(this.asked.delete(action.requestId)).toBe(true)
        break
      case 'snapshot-coordinators':
      case 'drain-sources':
      case 'discard-job':
      case 'fail-job':
      case 'restart-all':
        break
    }
  }

  currentAttempts(): readonly ExecutionAttemptId[] {
    return KEYS.map(key => this.attemptId(key))
  }

  attemptId(key: SubtaskKey, back = 0): ExecutionAttemptId {
    return `${key}#${this.attempts.get(key)! - back}` as ExecutionAttemptId
  }

  restart(keys: readonly SubtaskKey[]): void {
    for (const key of keys) this.attempts.set(key, (this.attempts.get(key) ?? -1) + 1)
    this.handle({ type: 'tasks-deployed', tasks: keys.map(key => ({ key, attemptId: this.attemptId(key) })) })
    for (const key of keys) this.handle({ type: 'task-running', attemptId: this.attemptId(key) })
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random.next() * from.length)]!
  }

  pickMissing(checkpointId: number): SubtaskKey | undefined {
    const missing = KEYS.filter(key => !this.acknowledged.get(checkpointId)?.has(this.attemptId(key)))
    return missing.length === 0 ? undefined : this.pick(missing)
  }

  acknowledge(key: SubtaskKey, checkpointId: number, back = 0): void {
    const attemptId = this.attemptId(key, back)
    const location = { type: 'file' as const, path: `chk-${checkpointId}/${attemptId}`, sizeBytes: 1 }
    const operatorId = `op-${key.split('/')[0]}` as OperatorId
    const state = { operators: [{ operatorId, keyed: [], operator: [{ states: [], location }] }] }
    if (back === 0) this.acknowledged.get(checkpointId)?.add(attemptId)
    // It was written into that folder before, whether the folder is still wanted or not.
    const savepoint = this.savepointOf.get(checkpointId)
    if (savepoint !== undefined) {
      if (!this.durable.has(checkpointId)) this.savepointFolders.add(savepoint)
    } else if (checkpointId <= this.lastId && !this.completed.includes(checkpointId)) {
      this.folders.add(checkpointId)
    }
    this.handle({ type: 'acknowledged', acknowledgement: { attemptId, checkpointId, state } })
  }

  elapse(ms: number): void {
    const target = this.nowMs + ms
    for (;;) {
      const next = [...this.dueMs].filter(([, due]) => due <= target).sort((a, b) => a[1] - b[1])[0]
      if (next === undefined) break
      this.nowMs = next[1]
      this.dueMs.delete(next[0])
      this.handle({ type: 'timer', timer: next[0] })
    }
    this.nowMs = target
  }

  step(): void {
    const reason = { name: 'Error', message: 'no' }
    const ids = [...this.open, this.lastId, this.lastId - 1].filter(id => id > 0)
    const dice = this.random.next()
    const key = this.pick(KEYS)
    const id = ids.length === 0 ? 1 : this.pick(ids)
    if (dice < 0.2) this.elapse(Math.floor(this.random.next() * 1500))
    else if (dice < 0.7) this.acknowledge(this.pickMissing(id) ?? key, id)
    else if (dice < 0.75 && this.attempts.get(key)! > 0) this.acknowledge(key, id, 1)
    else if (dice < 0.76)
      this.handle({ type: 'declined', decline: { attemptId: this.attemptId(key), checkpointId: id, reason } })
    else if (dice < 0.77) this.handle({ type: 'trigger-failed', checkpointId: id, reason })
    else if (dice < 0.95 && this.storing.size > 0)
      this.finishStoring(this.pick([...this.storing]), this.random.next() < 0.9)
    else if (dice > 0.965 && dice < 0.98 && this.stoppedBy === undefined)
      this.ask(this.random.next() < 0.7 ? 'no' : 'suspend')
    else if (dice > 0.98) {
      // A job whose tasks are about to end goes on from the savepoint, if one of them fails; the others have ended.
      const keys = this.stoppedBy !== undefined || this.random.next() < 0.5 ? KEYS : [key]
      this.stoppedBy = undefined
      this.handle({ type: 'tasks-stopped', attemptIds: keys.map(k => this.attemptId(k)) })
      expect(this.open.size).toBe(0)
      this.restart(keys)
    }
  }

  ask(stop: 'no' | 'suspend'): void {
    const requestId = `r${++this.requests}`
    this.asked.set(requestId, stop)
    this.handle({ type: 'savepoint-requested', requestId, folder: `sp-${requestId}`, stop })
  }

  /** All tasks are started again. */
  fail(): void {
    this.stoppedBy = undefined
    this.handle({ type: 'tasks-stopped', attemptIds: KEYS.map(k => this.attemptId(k)) })
    this.restart(KEYS)
  }

  finishStoring(checkpointId: number, ok: boolean): void {
    this.storing.delete(checkpointId)
    const reason = { name: 'Error', message: 'disk full' }
    const folder = this.savepointOf.get(checkpointId)
    if (ok && folder !== undefined && this.open.has(checkpointId)) {
      this.durable.add(checkpointId)
      this.folders.delete(checkpointId)
      const stop = this.asked.get(folder.slice('sp-'.length))
      if (stop === 'suspend') this.stoppedBy = checkpointId
      else this.open.delete(checkpointId)
      this.savepointFolders.add(folder)
    }
    if (ok) this.handle({ type: 'stored', checkpointId, pointer: folder ?? `chk-${checkpointId}` })
    else this.handle({ type: 'store-failed', checkpointId, reason })
  }
}

describe('checkpoint coordinator under a random course of events', () => {
  it('keeps its invariants, always takes another checkpoint, and leaves no folder behind', () => {
    let completed = 0
    let savepoints = 0
    for (let seed = 1; seed <= 150; seed++) {
      const simulation = new Simulation(seed)
      for (let i = 0; i < 300; i++) simulation.step()
      // From wherever it is, the next checkpoint works.
      if (simulation.stoppedBy !== undefined) simulation.fail()
      for (const id of [...simulation.storing]) simulation.finishStoring(id, true)
      simulation.elapse(10_000)
      while (simulation.asked.size > 0) {
        const savepoint = [...simulation.open].at(-1)!
        for (const key of KEYS) simulation.acknowledge(key, savepoint)
        simulation.finishStoring(savepoint, true)
        if (simulation.stoppedBy !== undefined) simulation.fail()
        simulation.elapse(10_000)
      }
      const id = [...simulation.open].at(-1)!
      expect(id, `seed ${seed}`).toBeDefined()
      for (const key of KEYS) simulation.acknowledge(key, id)
      simulation.finishStoring(id, true)
      expect(simulation.completed.at(-1), `seed ${seed}`).toBe(id)
      completed += simulation.completed.length
      simulation.handle({ type: 'job-over', status: 'FINISHED' })
      for (const left of [...simulation.storing]) simulation.finishStoring(left, true)
      expect([...simulation.folders], `seed ${seed}`).toEqual([])
      // Those whose job went on after all are there, but nobody was told so: the message of the failure names them.
      expect(simulation.asked.size, `seed ${seed}`).toBe(0)
      savepoints += simulation.savepointsTaken
    }
    // The course of events is worth something only if much succeeds.
    expect(completed).toBeGreaterThan(1000)
    expect(savepoints).toBeGreaterThan(50)
  }, 60_000)
})
