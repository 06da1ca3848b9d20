import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import type { Checkpoints } from '../../api/shapes.ts'
import { duration } from '../../model/format.ts'
import { href } from '../../router.ts'

/** What can be started for a job. */
export type Kind = 'savepoint' | 'stop' | 'checkpoint' | 'cancel' | 'restart'

/** Something that was started from this page and that the cluster works on. */
interface Operation {
  readonly jobId: string
  readonly kind: Kind
  /** Where to ask what became of it. */
  readonly path: string
  readonly startedAt: number
  readonly outcome?: Outcome
}

interface Outcome {
  readonly endedAt: number
  readonly result?: string
  /** Job that was started. */
  readonly newJobId?: string
  readonly failure?: string
}

interface OperationStatus {
  readonly status: { readonly id: 'IN_PROGRESS' | 'COMPLETED' }
  readonly operation?: {
    readonly location?: string
    readonly checkpointId?: number
    readonly jobid?: string
    readonly 'failure-cause'?: { readonly 'stack-trace': string }
    readonly failureCause?: { readonly 'stack-trace': string }
  }
}

/** Names of what is started. */
export const TITLES: Readonly<Record<Kind, string>> = {
  savepoint: 'Savepoint',
  stop: 'Stop with savepoint',
  checkpoint: 'Checkpoint',
  cancel: 'Cancel',
  restart: 'Restart',
}

const STORE_KEY = 'flink-operations'
const MOST_REMEMBERED = 20

/** Of all jobs. Kept for this tab, so that a reload loses none. Owned by this file. */
const operations = signal<readonly Operation[]>(remembered())

function remembered(): readonly Operation[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORE_KEY) ?? '[]')
    return Array.isArray(stored) ? stored : []
  } catch {
    return [] // Written by somebody else.
  }
}

function change(next: readonly Operation[]): void {
  operations.value = next
  sessionStorage.setItem(STORE_KEY, JSON.stringify(next))
}

/** Shows what was started until it is dismissed. */
export function addOperation(jobId: string, kind: Kind, path: string): void {
  change([...operations.value.slice(-MOST_REMEMBERED), { jobId, kind, path, startedAt: Date.now() }])
}

/** What was started for a job from this page, with its progress and outcome. */
export function Operations({ jobId }: { jobId: string }) {
  return (
    <>
      {operations.value
        .filter(operation => operation.jobId === jobId)
        .map(operation => (
          <OperationLine key={operation.path} operation={operation} />
        ))}
    </>
  )
}

function OperationLine({ operation }: { operation: Operation }) {
  const { kind, jobId, path, startedAt, outcome } = operation
  const over = outcome !== undefined
  const answer = usePoll<OperationStatus>(over ? undefined : path)
  // The checkpoint statistics know how many tasks have done their part.
  const statistics = usePoll<Checkpoints>(over ? undefined : `/jobs/${jobId}/checkpoints`)
  useEffect(() => {
    if (over) return
    const gone = answer.error?.status === 404
    if (!gone && answer.data?.status.id !== 'COMPLETED') return
    const done = outcomeOf(answer.data, gone)
    change(operations.value.map(other => (other === operation ? { ...other, outcome: done } : other)))
  }, [answer, over, operation])
  const pending = statistics.data?.history.find(
    ({ status, is_savepoint }) => status === 'IN_PROGRESS' && is_savepoint === (kind !== 'checkpoint'),
  )
  const dismiss = (): void => change(operations.value.filter(other => other !== operation))
  return (
    <div class="operation" role="status">
      <b>{TITLES[kind]}</b>
      {!over && pending !== undefined && (
        <>
          <progress
            value={pending.num_acknowledged_subtasks}
            max={Math.max(1, pending.num_subtasks)}
            aria-label={TITLES[kind]}
          />
          <span class="muted">
            {pending.num_acknowledged_subtasks} of {pending.num_subtasks} tasks
          </span>
        </>
      )}
      {!over && pending === undefined && <progress aria-label={TITLES[kind]} />}
      {outcome?.failure !== undefined && <span class="failure">{outcome.failure}</span>}
      {outcome?.result !== undefined && <code>{outcome.result}</code>}
      {outcome?.newJobId !== undefined && (
        <a href={href(['job', outcome.newJobId])}>runs as job {outcome.newJobId}</a>
      )}
      {over && <span class="muted">{duration(outcome.endedAt - startedAt)}</span>}
      {over && (
        <button type="button" class="plain close" aria-label="Dismiss" onClick={dismiss}>
          ✕
        </button>
      )}
    </div>
  )
}

function outcomeOf(status: OperationStatus | undefined, gone: boolean): Outcome {
  const endedAt = Date.now()
  if (gone) return { endedAt, failure: 'The cluster does not remember it: see the checkpoints of the job.' }
  const {
    location,
    checkpointId,
    jobid,
    'failure-cause': cause,
    failureCause = cause,
  } = status?.operation ?? {}
  if (failureCause !== undefined)
    return { endedAt, failure: failureCause['stack-trace'].split('\n')[0] ?? 'It failed.' }
  if (jobid !== undefined) return { endedAt, newJobId: jobid }
  return { endedAt, result: location ?? (checkpointId === undefined ? 'done' : `checkpoint ${checkpointId}`) }
}
