import { useState } from 'preact/hooks'
import { send } from '../../api/client.ts'
import { usePoll } from '../../api/poll.ts'
import type { Checkpoint, Checkpoints } from '../../api/shapes.ts'
import { Question } from '../../components/question.tsx'
import { time } from '../../model/format.ts'
import { kindOf } from './checkpoint-history.tsx'
import { addOperation } from './operations.tsx'

const NEW_SAVEPOINT = 'new savepoint'
const OTHER = 'other'
const NONE = 'none'
const MOST_LISTED = 8

/** Asks where a job is to be started from again. */
export function RestartQuestion({
  jobId,
  ended,
  close,
}: {
  jobId: string
  ended: boolean
  close: () => void
}) {
  const answer = usePoll<Checkpoints>(`/jobs/${jobId}/checkpoints`, 'once')
  const snapshots = restorable(answer.data?.history ?? [], ended)
  const [chosen, choose] = useState<string | undefined>()
  const [path, setPath] = useState('')
  const [drop, setDrop] = useState(false)
  const from = chosen ?? (ended ? (snapshots[0]?.external_path ?? NONE) : NEW_SAVEPOINT)
  const choices: readonly (readonly [string, string])[] = [
    ...(ended ? [] : [[NEW_SAVEPOINT, 'a savepoint that is taken now'] as const]),
    ...snapshots.map(
      snapshot =>
        [
          snapshot.external_path ?? '',
          `${kindOf(snapshot)} ${snapshot.id} of ${time(snapshot.trigger_timestamp)}`,
        ] as const,
    ),
    [OTHER, 'another savepoint or checkpoint'],
    [NONE, 'the beginning, without state'],
  ]
  const begin = async (): Promise<void> => {
    const savepointPath = from === OTHER ? path.trim() : from
    const body =
      from === NEW_SAVEPOINT
        ? { savepoint: true }
        : from === NONE
          ? {}
          : { savepointPath, allowNonRestoredState: drop }
    const { 'request-id': id } = await send<{ 'request-id': string }>('POST', `/jobs/${jobId}/restart`, body)
    addOperation(jobId, 'restart', `/jobs/${jobId}/restart/${id}`)
  }
  return (
    <Question
      title={ended ? 'Start again' : 'Restart'}
      meaning={
        ended
          ? 'Starts the same program as a new job, with the same arguments and parallelism.'
          : 'Ends this job and starts the same program as a new one, with the same arguments and parallelism. The snapshot is looked at first.'
      }
      confirm={ended ? 'Start again' : 'End and restart'}
      dangerous={!ended}
      begin={begin}
      close={close}
    >
      <fieldset class="choices-list">
        <legend>Start from</legend>
        {choices.map(([value, label]) => (
          <label key={value} title={value.includes('/') ? value : undefined}>
            <input
              type="radio"
              name="from"
              value={value}
              checked={from === value}
              onChange={() => choose(value)}
            />{' '}
            {label}
          </label>
        ))}
      </fieldset>
      {from === OTHER && (
        <label class="field">
          <span>Folder of the snapshot</span>
          <input
            class="mono"
            value={path}
            required
            spellcheck={false}
            onInput={event => setPath(event.currentTarget.value)}
          />
        </label>
      )}
      {from !== NEW_SAVEPOINT && from !== NONE && (
        <label>
          <input type="checkbox" checked={drop} onChange={event => setDrop(event.currentTarget.checked)} />{' '}
          Drop state that no operator takes over
        </label>
      )}
    </Question>
  )
}

/** Snapshots that are there, newest first. While a job runs its checkpoints come and go: then only savepoints. */
function restorable(history: readonly Checkpoint[], ended: boolean): readonly Checkpoint[] {
  return history
    .filter(
      ({ status, external_path: path, discarded, is_savepoint }) =>
        status === 'COMPLETED' && path !== undefined && discarded !== true && (ended || is_savepoint),
    )
    .toSorted((a, b) => b.id - a.id)
    .slice(0, MOST_LISTED)
}
