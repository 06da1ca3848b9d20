/** A bug that is planted on purpose, to see that the simulation finds it. */
export interface PlantedBug {
  readonly name: string
  /** Below `packages/`. */
  readonly file: string
  /** Text that occurs once there, and what takes its place. */
  readonly from: string
  readonly to: string
  /** It concerns who leads, or barriers among records on their way: looked for by scenarios of that. */
  readonly of?: 'leaders' | 'unaligned' | 'aligned'
}

/** Mistakes that somebody could make in the control plane: each breaks a promise in some courses of events only. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a checkpoint is complete although one task has not acknowledged it',
    file: 'jobmanager/src/checkpoint/pending-checkpoint.ts',
    from: `return this.#missing.size === 0 ? 'storing' : 'collecting'`,
    to: `return this.#missing.size <= 1 ? 'storing' : 'collecting'`,
  },
  {
    name: 'checkpoints of attempts that were stopped can still complete',
    file: 'jobmanager/src/checkpoint/checkpoint-coordinator.ts',
    from: `this.#ends.interrupted(false, 'tasks were stopped')`,
    to: '',
  },
  {
    name: 'tasks are restored from the oldest checkpoint that is retained',
    file: 'jobmanager/src/checkpoint/completed-store.ts',
    from: 'return this.#checkpoints.at(-1)',
    to: 'return this.#checkpoints.at(0)',
  },
  {
    name: 'a restart goes back to the snapshot that the job started from',
    file: 'jobmanager/src/checkpoint/checkpoint-coordinator.ts',
    from: 'return this.#state.completed.latest?.metadata ?? this.#snapshot?.metadata',
    to: 'return this.#snapshot?.metadata ?? this.#state.completed.latest?.metadata',
  },
  {
    name: 'folders are removed although later checkpoints refer to files in them',
    file: 'jobmanager/src/checkpoint/completed-store.ts',
    from: 'filter(([id, upTo]) => !inUse.has(id) && !isAwaited(upTo))',
    to: 'filter(([id, upTo]) => !(id > 0 && inUse.has(-1)) || !isAwaited(upTo))',
  },
  {
    name: 'the state of finished tasks is not carried on',
    file: 'jobmanager/src/checkpoint/pending-checkpoint.ts',
    from: ': carried.get(operatorId)?.subtasks.find(subtask => subtask.index === index)?.state',
    to: ': undefined',
  },
  {
    name: 'tasks do not hear that a checkpoint is complete',
    file: 'jobmanager/src/checkpoint/task-tracker.ts',
    from: `(task.state === 'running' || task.state === 'finishing')`,
    to: `task.state === 'finishing'`,
  },
  {
    name: 'checkpoints of a finished job are not removed',
    file: 'jobmanager/src/checkpoint/checkpoint-ends.ts',
    from: 'this.#state.actAll(this.#state.completed.discardAll())',
    to: '',
  },
  {
    name: 'slots of a lost TaskManager are used again',
    file: 'jobmanager/src/slotpool/slot-pool.ts',
    from: 'if (slot.taskManager === taskManager) this.remove(slot.allocationId)',
    to: 'if (slot.taskManager !== taskManager) this.slotOf(slot.allocationId, 0)',
  },
  {
    name: 'records are taken from channels on which the barrier has come',
    file: 'taskmanager/src/checkpoint/barrier-aligner.ts',
    from: 'if (!this.#complete()) this.#listener.block(channel)',
    to: 'this.#complete()',
    of: 'aligned',
  },
  {
    name: 'the thread of a slot that was freed goes on',
    file: 'taskmanager/src/slots/allocated-slot.ts',
    from: 'this.#released = true\n    this.#leaveThread()',
    to: 'this.#released = true',
  },
  {
    name: 'a task that does not react to its cancellation is waited for',
    file: 'taskmanager/src/slots/slot-tasks.ts',
    from: 'task.cancelled = true\n    this.closing(attemptId)',
    to: 'task.cancelled = true',
  },
  {
    name: 'slots keep their tasks when the JobMaster is lost',
    file: 'taskmanager/src/executor/task-executor.ts',
    from: 'if (slot.jobId === connection.jobId)\n',
    to: 'if (slot.jobId !== connection.jobId)\n',
  },
  {
    name: 'what becomes free during a registration is not reported',
    file: 'taskmanager/src/executor/resource-manager-connection.ts',
    from: 'this.#reportChanges(registered.slots, registration().slots)',
    to: 'this.#reportChanges([], registered.slots)',
  },
  {
    name: 'the ResourceManager does not hear that a slot is free',
    file: 'resourcemanager/src/slotmanager/slot-manager.ts',
    from: `if (matches) slots?.set(event.slotId, { type: 'free' })`,
    to: '',
  },
  {
    name: 'a checkpoint counts before it is recorded',
    file: 'jobmanager/src/jobmaster/progress-recorder.ts',
    from: 'await this.#write(stored, Math.max(this.#idsBelow, stored.checkpointId + RESERVED_IDS))',
    to: 'this.#write(stored, stored.checkpointId + RESERVED_IDS).catch(() => {})',
    of: 'leaders',
  },
  {
    name: 'what was not acknowledged is not sent again over a new connection',
    file: 'rpc/src/session/sequenced-session.ts',
    from: 'for (const body of this.#outbox.waiting()) this.#transmit(body)',
    to: '',
  },
  {
    name: 'probes go on after the end of a session',
    file: 'rpc/src/session/sequenced-session.ts',
    from: 'this.#probeTimer?.cancel()',
    to: '',
  },
  {
    name: 'records on their way are not part of an unaligned checkpoint',
    file: 'taskmanager/src/checkpoint/unaligned-barriers.ts',
    from: 'this.#clock.monotonicMs() - pending.startedMs, missing)',
    to: 'this.#clock.monotonicMs() - pending.startedMs, [])',
  },
  {
    name: 'channels stay blocked when an alignment has timed out',
    file: 'taskmanager/src/checkpoint/unaligned-barriers.ts',
    from: 'pending.startedMs, missing)\n    this.#listener.unblockAll()',
    to: 'pending.startedMs, missing)',
  },
  {
    name: 'a barrier that comes after its snapshot begins another one',
    file: 'taskmanager/src/checkpoint/unaligned-barriers.ts',
    from: 'this.#doneUpTo = Math.max(this.#doneUpTo, checkpointId)',
    to: '',
  },
  {
    name: 'an unaligned checkpoint waits for channels that have ended',
    file: 'taskmanager/src/checkpoint/unaligned-barriers.ts',
    from: 'this.#finished.add(channel)\n',
    to: '',
  },
  {
    name: 'a capture is over although its barrier has not come everywhere',
    file: 'taskmanager/src/checkpoint/channel-capture.ts',
    from: 'else if (this.#awaited.delete(channel) && this.#awaited.size === 0)',
    to: 'else if (this.#awaited.delete(channel))',
    of: 'unaligned',
  },
  {
    name: 'a job host that is gone is asked again',
    file: 'jobmanager/src/coordination/job-host-pool.ts',
    from: 'if (this.#host === host) this.#host = undefined',
    to: '',
  },
  {
    name: 'coordinators start anew instead of from the checkpoint',
    file: 'jobmanager/src/coordination/job-coordinators.ts',
    from: 'coordinator === undefined ? [] :',
    to: 'coordinator !== undefined ? [] :',
  },
  {
    name: 'coordinators do not hear that subtasks start again',
    file: 'jobmanager/src/coordination/job-coordinators.ts',
    from: `this.#handle.tell({ type: 'reset', subtasks, checkpointId: restored?.checkpointId })`,
    to: '',
  },
  {
    name: 'splits of a reader that starts again are not given back',
    file: 'operators/src/source/source-coordinator.ts',
    from: 'if (back.length > 0) this.#enumerator?.addSplitsBack(back, subtaskIndex)',
    to: '',
  },
  {
    name: 'what was handed out right after a checkpoint is taken for part of it',
    file: 'operators/src/source/split-assignments.ts',
    from: '({ after }) => after >= checkpointId',
    to: '({ after }) => after > checkpointId',
  },
  {
    name: 'tasks begin a checkpoint before coordinators have taken their snapshot',
    file: 'jobmanager/src/checkpoint/checkpoint-starts.ts',
    from: 'else this.triggerTasks(pending)',
    to: 'this.triggerTasks(pending)',
  },
  {
    name: 'a job host that nobody needs is not ended',
    file: 'jobmanager/src/coordination/job-host-pool.ts',
    from: 'if (!this.#reserved.delete(jobId) || this.#reserved.size > 0 || this.#closed) return',
    to: 'if (this.#reserved.delete(jobId) || this.#reserved.size > 0 || this.#closed) return',
  },
]
