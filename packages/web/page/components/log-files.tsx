import { usePoll } from '../api/poll.ts'
import { bytes } from '../model/format.ts'
import { go, route } from '../router.ts'
import { LogView } from './log-view.tsx'
import { Empty, Panel, Shown } from './parts.tsx'

interface LogFile {
  readonly name: string
  readonly size: number
  readonly mtime?: number
}

interface LogFilesProps {
  /** Where the process is in the API. */
  readonly process: string
  /** Where the page is: `?file=` chooses. */
  readonly place: readonly string[]
  readonly kind: 'log' | 'stdout'
}

const ENDINGS = { log: '.log', stdout: '.out' } as const

/** Files that a process has written, the newest one of the kind opened. */
export function LogFiles({ process, place, kind }: LogFilesProps) {
  const answer = usePoll<{ logs: readonly LogFile[] }>(`${process}/logs`, 'once')
  return (
    <Shown answer={answer} what="logs">
      {({ logs }) => {
        const files = logs.filter(({ name }) => kind === 'log' || name.includes(ENDINGS[kind]))
        const newest = files
          .filter(({ name }) => name.includes(ENDINGS[kind]))
          .toSorted((a, b) => (b.mtime ?? 0) - (a.mtime ?? 0))[0]
        const chosen = files.find(({ name }) => name === route.value.query.get('file')) ?? newest ?? files[0]
        if (chosen === undefined) return <None kind={kind} />
        return (
          <>
            {files.length > 1 && (
              <p style={{ marginBottom: '10px' }}>
                <label>
                  File{' '}
                  <select
                    value={chosen.name}
                    onChange={event => go(place, { file: event.currentTarget.value })}
                  >
                    {files.map(({ name, size }) => (
                      <option key={name} value={name}>
                        {name} ({bytes(size)})
                      </option>
                    ))}
                  </select>
                </label>
              </p>
            )}
            <LogView
              key={chosen.name}
              title={chosen.name}
              path={`${process}/logs/${encodeURIComponent(chosen.name)}`}
            />
          </>
        )
      }}
    </Shown>
  )
}

function None({ kind }: { kind: LogFilesProps['kind'] }) {
  return (
    <Panel>
      <Empty>
        {kind === 'log'
          ? 'This process writes its log to standard output, not to a file that could be shown here.'
          : 'Nothing has been printed to a file here.'}
      </Empty>
    </Panel>
  )
}
