import { useState } from 'preact/hooks'
import { send } from '../../api/client.ts'
import { endsJobs, isHistory, takesPrograms } from '../../api/cluster-config.ts'
import { Question } from '../../components/question.tsx'
import { addOperation, type Kind, TITLES } from './operations.tsx'
import { RestartQuestion } from './restart-question.tsx'

type Asked = Exclude<Kind, 'restart'>

const MEANINGS: Readonly<Record<Asked, string>> = {
  savepoint: 'Writes the state of the job to a folder of its own. The job goes on.',
  stop: 'Takes a savepoint and ends the job with it: nothing is read behind it, and all output up to it is committed.',
  checkpoint: 'Takes a checkpoint now, beside those at the interval of the job.',
  cancel:
    'Ends the job at once. What came since the last checkpoint is lost, unless the checkpoint is retained.',
}

interface JobActionsProps {
  readonly jobId: string
  readonly state: string
  readonly ended: boolean
}

/** Buttons for what can be done with a job now. */
export function JobActions({ jobId, state, ended }: JobActionsProps) {
  const [asked, ask] = useState<Kind | undefined>()
  const close = (): void => ask(undefined)
  const runs = state === 'RUNNING'
  if (isHistory()) return null
  return (
    <div class="actions">
      {!ended && (
        <>
          <button type="button" disabled={!runs} onClick={() => ask('checkpoint')}>
            Checkpoint now
          </button>
          <button type="button" disabled={!runs} onClick={() => ask('savepoint')}>
            Savepoint
          </button>
        </>
      )}
      {!ended && endsJobs() && (
        <button type="button" disabled={!runs} onClick={() => ask('stop')}>
          Stop
        </button>
      )}
      {takesPrograms() && endsJobs() && (
        <button type="button" disabled={!ended && !runs} onClick={() => ask('restart')}>
          {ended ? 'Start again' : 'Restart'}
        </button>
      )}
      {!ended && endsJobs() && (
        <button type="button" class="danger" disabled={state === 'CANCELLING'} onClick={() => ask('cancel')}>
          Cancel
        </button>
      )}
      {asked === 'restart' && <RestartQuestion jobId={jobId} ended={ended} close={close} />}
      {asked !== undefined && asked !== 'restart' && (
        <ActionQuestion kind={asked} jobId={jobId} close={close} />
      )}
    </div>
  )
}

function ActionQuestion({ kind, jobId, close }: { kind: Asked; jobId: string; close: () => void }) {
  const [directory, setDirectory] = useState('')
  const [drain, setDrain] = useState(false)
  return (
    <Question
      title={TITLES[kind]}
      meaning={MEANINGS[kind]}
      confirm={kind === 'cancel' ? 'Cancel the job' : TITLES[kind]}
      dangerous={kind === 'cancel'}
      begin={() => begin(kind, jobId, directory.trim(), drain)}
      close={close}
    >
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
          <input type="checkbox" checked={drain} onChange={event => setDrain(event.currentTarget.checked)} />{' '}
          Drain: fire all timers and windows first, as at the end of the input. Choose it only if the job will
          not go on.
        </label>
      )}
    </Question>
  )
}

async function begin(kind: Asked, jobId: string, directory: string, drain: boolean): Promise<void> {
  const target = directory === '' ? undefined : directory
  const job = `/jobs/${jobId}`
  // The state of the job tells the rest.
  if (kind === 'cancel') return void (await send('PATCH', `${job}?mode=cancel`))
  const [place, body, status] = {
    savepoint: [`${job}/savepoints`, { 'target-directory': target, 'cancel-job': false }, 'savepoints'],
    stop: [`${job}/stop`, { targetDirectory: target, drain }, 'savepoints'],
    checkpoint: [`${job}/checkpoints`, {}, 'checkpoints'],
  }[kind] as [string, object, string]
  const { 'request-id': id } = await send<{ 'request-id': string }>('POST', place, body)
  addOperation(jobId, kind, `${job}/${status}/${id}`)
}
