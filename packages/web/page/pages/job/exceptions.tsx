import { usePoll } from '../../api/poll.ts'
import type { Exceptions, Failure } from '../../api/shapes.ts'
import { Empty, Panel, Shown } from '../../components/parts.tsx'
import { time } from '../../model/format.ts'
import { href } from '../../router.ts'

/** What has failed, newest first, with the lines of the program that were involved. */
export function ExceptionsTab({ jobId }: { jobId: string }) {
  const answer = usePoll<Exceptions>(`/jobs/${jobId}/exceptions`)
  return (
    <Shown answer={answer} what="exceptions">
      {({ exceptionHistory: { entries, truncated } }) => (
        <>
          {entries.length === 0 && (
            <Panel>
              <Empty>Nothing has failed.</Empty>
            </Panel>
          )}
          {entries.map((failure, index) => (
            <FailurePanel
              key={`${failure.timestamp} ${failure.taskName}`}
              failure={failure}
              first={index === 0}
            />
          ))}
          {truncated && <p class="muted">Older failures are left out.</p>}
        </>
      )}
    </Shown>
  )
}

function FailurePanel({ failure, first }: { failure: Failure; first: boolean }) {
  const { concurrentExceptions = [] } = failure
  return (
    <Panel label={failure.exceptionName}>
      <FailureHead failure={failure} />
      <details open={first}>
        <summary class="pad muted">Stack</summary>
        <Stack text={failure.stacktrace} />
      </details>
      {concurrentExceptions.length > 0 && (
        <details>
          <summary class="pad muted">{concurrentExceptions.length} more that failed with it</summary>
          {concurrentExceptions.map(other => (
            <div key={`${other.timestamp} ${other.taskName}`}>
              <FailureHead failure={other} />
              <Stack text={other.stacktrace} />
            </div>
          ))}
        </details>
      )}
    </Panel>
  )
}

function FailureHead({ failure }: { failure: Failure }) {
  const {
    exceptionName,
    stacktrace,
    timestamp,
    taskName,
    endpoint,
    taskManagerId,
    failureLabels = {},
  } = failure
  const message = (stacktrace.split('\n')[0] ?? '').replace(/^FlinkError: /, '')
  return (
    <div class="pad">
      <div class="title">
        <b>{message.startsWith(exceptionName) ? message : `${exceptionName}: ${message}`}</b>
      </div>
      <div class="facts-line">
        <span>{time(timestamp)}</span>
        {taskName != null && <span>{taskName}</span>}
        {endpoint != null && taskManagerId != null && (
          <a href={href(['task-manager', taskManagerId])}>{endpoint}</a>
        )}
        {Object.entries(failureLabels).map(([key, value]) => (
          <span key={key} class="badge">
            {key}: {value}
          </span>
        ))}
      </div>
    </div>
  )
}

/** Frames of the program stand out among those of the runtime and of Node.js. */
function Stack({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keyboard only if it can have the focus
    <pre class="stacktrace" tabIndex={0}>
      {text.split('\n').map((line, index) => (
        <div key={index} class={isOwnFrame(line) ? 'own' : ''}>
          {line}
        </div>
      ))}
    </pre>
  )
}

function isOwnFrame(line: string): boolean {
  return (
    /^\s+at /.test(line) &&
    !/node:|node_modules|packages\/[\w-]+\/(dist|src)\/|\/lib\/chunks\/|@flink-ts|\(flink-ts\//.test(line)
  )
}
