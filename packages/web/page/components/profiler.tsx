import { useState } from 'preact/hooks'
import { send } from '../api/client.ts'
import { usePoll } from '../api/poll.ts'
import type { FlameNode } from '../model/flame.ts'
import { time } from '../model/format.ts'
import { FlameGraph } from './flame-graph.tsx'
import { Empty, Panel, Shown } from './parts.tsx'

interface Profile {
  readonly status: 'RUNNING' | 'FINISHED' | 'FAILED'
  readonly mode: string
  readonly triggerTime: number
  /** Seconds. */
  readonly duration: number
  readonly message: string
  /** Empty until it is there. */
  readonly outputFile: string
}

const MODES = [
  ['CPU', 'Time in JavaScript'],
  ['WALL', 'All time, waiting too'],
] as const

/** Profiles of all threads of a process: taken when somebody asks, kept by the job manager. */
export function Profiler({ process }: { process: string }) {
  const [mode, setMode] = useState('CPU')
  const [seconds, setSeconds] = useState(10)
  const [started, setStarted] = useState(0)
  const [failure, setFailure] = useState<string | undefined>()
  const start = (): void => {
    setFailure(undefined)
    send('POST', `${process}/profiler`, { mode, duration: seconds }).then(
      () => setStarted(started + 1),
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    )
  }
  return (
    <Panel title="Profiles">
      <div class="pad stack">
        <div class="choices-line">
          <label>
            Sample{' '}
            <select value={mode} onChange={event => setMode(event.currentTarget.value)}>
              {MODES.map(([id, label]) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <label>
            for{' '}
            <input
              type="number"
              min={1}
              max={300}
              value={seconds}
              onInput={event => setSeconds(Number(event.currentTarget.value))}
            />{' '}
            seconds
          </label>
          <button type="button" onClick={start}>
            Profile all threads
          </button>
        </div>
        {failure !== undefined && <p role="alert">{failure}</p>}
      </div>
      <Profiles key={started} process={process} />
    </Panel>
  )
}

function Profiles({ process }: { process: string }) {
  const answer = usePoll<{ profilingList: readonly Profile[] }>(`${process}/profiler`)
  const [chosen, setChosen] = useState<string | undefined>()
  return (
    <Shown answer={answer} what="profiles">
      {({ profilingList }) => (
        <>
          {profilingList.length === 0 && <Empty>This process has not been profiled.</Empty>}
          {profilingList.length > 0 && (
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>Started</th>
                    <th>Samples</th>
                    <th class="num">Seconds</th>
                    <th>Outcome</th>
                  </tr>
                </thead>
                <tbody>
                  {profilingList.map(({ triggerTime, mode, duration, status, message, outputFile }) => (
                    <tr key={triggerTime}>
                      <td>{time(triggerTime)}</td>
                      <td>{MODES.find(([id]) => id === mode)?.[1] ?? mode}</td>
                      <td class="num">{duration}</td>
                      <td class="wide">
                        {status === 'FINISHED' ? (
                          <button
                            type="button"
                            aria-pressed={chosen === outputFile}
                            onClick={() => setChosen(outputFile)}
                          >
                            Show
                          </button>
                        ) : (
                          message
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {chosen !== undefined && <Graph key={chosen} path={`${process}/profiler/${chosen}`} />}
        </>
      )}
    </Shown>
  )
}

function Graph({ path }: { path: string }) {
  const answer = usePoll<FlameNode>(path.replace(/html$/, 'json'), 'once')
  return (
    <Shown answer={answer} what="the profile">
      {root => (
        <div class="pad stack">
          {root.value === 0 ? <Empty>No thread ran any JavaScript.</Empty> : <FlameGraph root={root} />}
        </div>
      )}
    </Shown>
  )
}
