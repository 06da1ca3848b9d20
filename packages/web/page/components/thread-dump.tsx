import { usePoll } from '../api/poll.ts'
import { Empty, Panel, Shown } from './parts.tsx'

interface ThreadDumpAnswer {
  readonly threadInfos: readonly { readonly threadName: string; readonly stringifiedThreadInfo: string }[]
}

/** What the threads of a process do at this moment. */
export function ThreadDump({ process }: { process: string }) {
  const answer = usePoll<ThreadDumpAnswer>(`${process}/thread-dump`, 'once')
  return (
    <Panel title="Threads">
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
    </Panel>
  )
}
