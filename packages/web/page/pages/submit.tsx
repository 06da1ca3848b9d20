import { useState } from 'preact/hooks'
import { ApiError, send } from '../api/client.ts'
import { clusterConfig, takesPrograms } from '../api/cluster-config.ts'
import { usePoll } from '../api/poll.ts'
import { Empty, Panel, Shown } from '../components/parts.tsx'
import { time } from '../model/format.ts'
import { go, href } from '../router.ts'
import { type Program, RunPanel } from './submit/run-panel.tsx'
import { Uploads } from './submit/uploads.tsx'

/** Programs that can be run: `#/submit/<id>` opens one. */
export function SubmitPage({ path }: { path: readonly string[] }) {
  const [chosenId] = path
  // Asked again at once after a change.
  const [changes, setChanges] = useState(0)
  const changed = (): void => setChanges(before => before + 1)
  if (clusterConfig.value !== undefined && !takesPrograms()) {
    return (
      <>
        <h1>Submit</h1>
        <Empty>
          This cluster takes no programs from its page: <code>web.submit.enable</code> is false, or it runs in
          the process of one program.
        </Empty>
      </>
    )
  }
  return (
    <>
      <h1 class="above">Submit</h1>
      <Uploads
        uploaded={id => {
          changed()
          go(['submit', id])
        }}
      />
      <Programs key={changes} chosenId={chosenId} changed={changed} />
    </>
  )
}

function Programs({ chosenId, changed }: { chosenId: string | undefined; changed: () => void }) {
  const answer = usePoll<{ files: readonly Program[] }>('/jars')
  const chosen = answer.data?.files.find(({ id }) => id === chosenId)
  return (
    <>
      <Panel title="Uploaded programs">
        <Shown answer={answer} what="programs">
          {({ files }) =>
            files.length === 0 ? (
              <Empty>No program has been uploaded.</Empty>
            ) : (
              <ProgramTable programs={files} chosenId={chosenId} changed={changed} />
            )
          }
        </Shown>
      </Panel>
      {chosen !== undefined && <RunPanel key={chosen.id} program={chosen} />}
    </>
  )
}

interface ProgramTableProps {
  readonly programs: readonly Program[]
  readonly chosenId: string | undefined
  readonly changed: () => void
}

function ProgramTable({ programs, chosenId, changed }: ProgramTableProps) {
  const [failure, setFailure] = useState<string | undefined>()
  const remove = (id: string): void => {
    send('DELETE', `/jars/${encodeURIComponent(id)}`).then(changed, (error: unknown) =>
      setFailure(error instanceof ApiError ? error.message : String(error)),
    )
  }
  return (
    <div class="scroll">
      {failure !== undefined && (
        <p role="alert" class="failure pad">
          {failure}
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th>Program</th>
            <th>Entry</th>
            <th>Uploaded</th>
            <th>
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {programs.map(({ id, name, uploaded, entry }) => (
            <tr key={id} class={id === chosenId ? 'chosen' : ''}>
              <td class="wide">
                <a href={href(['submit', id])} aria-current={id === chosenId ? 'true' : undefined}>
                  {name}
                </a>
              </td>
              <td class="mono">{entry.map(one => one.name).join(', ')}</td>
              <td class="nowrap">{time(uploaded)}</td>
              <td class="num">
                <button type="button" class="plain" aria-label={`Remove ${name}`} onClick={() => remove(id)}>
                  ✕
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
