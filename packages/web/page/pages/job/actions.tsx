import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, send } from '../../api/client.ts'
import { usePoll } from '../../api/poll.ts'
import type { Checkpoints } from '../../api/shapes.ts'
import { duration } from '../../model/format.ts'

type Kind = 'savepoint' | 'stop' | 'checkpoint' | 'cancel'

/** Something that was started from this page and that the cluster works on. */
interface Operation {
  readonly jobId: string
  readonly kind: Kind
  /** Where to ask what became of it; undefined: the state of the job tells. */
  readonly path: string | undefined
  readonly startedAt: number
  readonly outcome?: { readonly endedAt: number; readonly result?: string; readonly failure?: string }
}

interface OperationStatus {
  readonly status: { readonly id: 'IN_PROGRESS' | 'COMPLETED' }
  readonly operation?: {
    readonly location?: string
    readonly checkpointId?: number
    readonly 'failure-cause'?: { readonly 'stack-trace': string }
    readonly failureCause?: { readonly 'stack-trace': string }
  }
}

const STORE_KEY = 'flink-operations'

/** Of all jobs. Kept for this tab, so that a reload loses none. Owned by this file. */
const operations = signal<readonly Operation[]>(JSON.parse(sessionStorage.getItem(STORE_KEY) ?? '[]'))

function change(next: readonly Operation[]): void {
  operations.value = next
  sessionStorage.setItem(STORE_KEY, JSON.stringify(next))
}

const TITLES: Readonly<Record<Kind, string>> = {
  savepoint: 'Savepoint',
  stop: 'Stop with savepoint',
  checkpoint: 'Checkpoint',
  cancel: 'Cancel',
}

const MEANINGS: Readonly<Record<Kind, string>> = {
  savepoint: 'Writes the state of the job to a folder of its own. The job goes on.',
  stop: 'Takes a savepoint and ends the job with it: nothing is read behind it, and all output up to it is committed.',
  checkpoint: 'Takes a checkpoint now, beside those at the interval of the job.',
  cancel:
    'Ends the job at once. What came since the last checkpoint is lost, unless the checkpoint is retained.',
}

/** Buttons for what can be done with a running job. */
export function JobActions({ jobId, state }: { jobId: string; state: string }) {
  const [asked, setAsked] = useState<Kind | undefined>()
  const runs = state === 'RUNNING'
  return (
    <div class="actions">
      <button type="button" disabled={!runs} onClick={() => setAsked('checkpoint')}>
        Checkpoint now
      </button>
      <button type="button" disabled={!runs} onClick={() => setAsked('savepoint')}>
        Savepoint
      </button>
      <button type="button" disabled={!runs} onClick={() => setAsked('stop')}>
        Stop
      </button>
      <button
        type="button"
        class="danger"
        disabled={state === 'CANCELLING'}
        onClick={() => setAsked('cancel')}
      >
        Cancel
      </button>
      {asked !== undefined && <Question kind={asked} jobId={jobId} close={() => setAsked(undefined)} />}
    </div>
  )
}

function Question({ kind, jobId, close }: { kind: Kind; jobId: string; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [directory, setDirectory] = useState('')
  const [drain, setDrain] = useState(false)
  const [failure, setFailure] = useState<string | undefined>()
  useEffect(() => dialog.current?.showModal(), [])
  const start = (event: Event): void => {
    event.preventDefault()
    begin(kind, jobId, directory.trim(), drain).then(close, (error: unknown) =>
      setFailure(error instanceof ApiError ? error.message : String(error)),
    )
  }
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <form onSubmit={start}>
        <h2 id="question">{TITLES[kind]}</h2>
        <p class="muted">{MEANINGS[kind]}</p>
        {(kind === 'savepoint' || kind === 'stop') && (
          <label class="field">
            <span>Folder</span>
            <input
              value={directory}
              placeholder="as execution.checkpointing.savepoint-dir says"
              onInput={event => setDirectory(event.currentTarget.value)}
            />
          </label>
        )}
        {kind === 'stop' && (
          <label>
            <input
              type="checkbox"
              checked={drain}
              onChange={event => setDrain(event.currentTarget.checked)}
            />{' '}
            Drain: fire all timers and windows first, as at the end of the input. Choose it only if the job
            will not go on.
          </label>
        )}
        {failure !== undefined && (
          <p role="alert" style={{ color: 'var(--bad)' }}>
            {failure}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={close}>
            Back
          </button>
          <button type="submit" class={kind === 'cancel' ? 'danger' : 'primary'}>
            {kind === 'cancel' ? 'Cancel the job' : TITLES[kind]}
          </button>
        </div>
      </form>
    </dialog>
  )
}

async function begin(kind: Kind, jobId: string, directory: string, drain: boolean): Promise<void> {
  const startedAt = Date.now()
  const target = directory === '' ? undefined : directory
  const started = async (path: string, body: object): Promise<string> =>
    (await send<{ 'request-id': string }>('POST', path, body))['request-id']
  let path: string | undefined
  switch (kind) {
    case 'savepoint': {
      const id = await started(`/jobs/${jobId}/savepoints`, {
        'target-directory': target,
        'cancel-job': false,
      })
      path = `/jobs/${jobId}/savepoints/${id}`
      break
    }
    case 'stop': {
      const id = await started(`/jobs/${jobId}/stop`, { targetDirectory: target, drain })
      path = `/jobs/${jobId}/savepoints/${id}`
      break
    }
    case 'checkpoint': {
      const id = await started(`/jobs/${jobId}/checkpoints`, {})
      path = `/jobs/${jobId}/checkpoints/${id}`
      break
    }
    case 'cancel':
      await send('PATCH', `/jobs/${jobId}?mode=cancel`)
      return // The state of the job tells the rest.
  }
  change([...operations.value.slice(-20), { jobId, kind, path, startedAt }])
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
          <progress value={pending.num_acknowledged_subtasks} max={Math.max(1, pending.num_subtasks)} />
          <span class="muted">
            {pending.num_acknowledged_subtasks} of {pending.num_subtasks} tasks
          </span>
        </>
      )}
      {!over && pending === undefined && <progress />}
      {outcome?.failure !== undefined && <span style={{ color: 'var(--bad)' }}>{outcome.failure}</span>}
      {outcome?.result !== undefined && <code>{outcome.result}</code>}
      {over && <span class="muted">{duration(outcome.endedAt - startedAt)}</span>}
      {over && (
        <button type="button" class="plain close" aria-label="Dismiss" onClick={dismiss}>
          ✕
        </button>
      )}
    </div>
  )
}

function outcomeOf(status: OperationStatus | undefined, gone: boolean): NonNullable<Operation['outcome']> {
  const endedAt = Date.now()
  if (gone) return { endedAt, failure: 'The cluster does not remember it: see the checkpoints of the job.' }
  const { location, checkpointId, 'failure-cause': cause, failureCause = cause } = status?.operation ?? {}
  if (failureCause !== undefined)
    return { endedAt, failure: failureCause['stack-trace'].split('\n')[0] ?? 'It failed.' }
  return { endedAt, result: location ?? (checkpointId === undefined ? 'done' : `checkpoint ${checkpointId}`) }
}
