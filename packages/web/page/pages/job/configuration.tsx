import { usePoll } from '../../api/poll.ts'
import { KeyValueTable } from '../../components/key-value-table.tsx'
import { Empty, Facts, Panel, Shown } from '../../components/parts.tsx'

interface JobConfiguration {
  readonly 'execution-config': {
    readonly 'execution-mode'?: string
    readonly 'restart-strategy': string
    readonly 'job-parallelism': number
    readonly 'object-reuse-mode': boolean
    readonly 'user-config': Readonly<Record<string, string>>
  }
}

/** What a job runs with. */
export function ConfigurationTab({ jobId }: { jobId: string }) {
  const answer = usePoll<JobConfiguration>(`/jobs/${jobId}/config`, 'once')
  return (
    <Shown answer={answer} what="the configuration">
      {({ 'execution-config': config }) => (
        <>
          <Panel title="Execution">
            <div class="pad">
              <Facts
                of={[
                  ['Restart strategy', config['restart-strategy']],
                  ['Parallelism', config['job-parallelism']],
                  ...(config['execution-mode'] === undefined
                    ? []
                    : ([['Execution mode', config['execution-mode'].toLowerCase()]] as const)),
                  ['Object reuse', config['object-reuse-mode'] ? 'on' : 'off'],
                ]}
              />
            </div>
          </Panel>
          <Panel title="Parameters of the program">
            {Object.keys(config['user-config']).length === 0 ? (
              <Empty>The program has set no global job parameters.</Empty>
            ) : (
              <KeyValueTable entries={Object.entries(config['user-config'])} />
            )}
          </Panel>
        </>
      )}
    </Shown>
  )
}
