import { useState } from 'preact/hooks'
import { usePoll } from '../api/poll.ts'
import { Empty, Panel, Shown } from './parts.tsx'

interface ThreadDumpAnswer {
  readonly threadInfos: readonly { readonly threadName: string; readonly stringifiedThreadInfo: string }[]
}

/** What the threads of a process do at this moment. */
export function ThreadDump({ process }: { process: string }) {
  const [times, setTimes] = useState(0)
  const again = (
    <button type="button" onClick={() => setTimes(times + 1)}>
      Look again
    </button>
  )
  return (
    <Panel title="Threads" end={again}>
      <Threads key={times} process={process} />
    </Panel>
  )
}

function Threads({ process }: { process: string }) {
  const answer = usePoll<ThreadDumpAnswer>(`${process}/thread-dump`, 'once')
  return (
    <Shown answer={answer} what="threads">
      {({ threadInfos }) => (
        <>
          {threadInfos.length === 0 && <Empty>The process tells of no thread.</Empty>}
          {threadInfos.map(({ threadName, stringifiedThreadInfo }) => (
            <details key={threadName} open={threadInfos.length < 8}>
              <summary class="pad">{threadName}</summary>
              <pre class="stacktrace">{stringifiedThreadInfo}</pre>
            </details>
          ))}
        </>
      )}
    </Shown>
  )
}
