import { useState } from 'preact/hooks'
import { usePoll } from '../api/poll.ts'
import { KeyValueTable } from '../components/key-value-table.tsx'
import { LogFiles } from '../components/log-files.tsx'
import { MetricPlots } from '../components/metric-plots.tsx'
import { Empty, Facts, Panel, Shown, Tabs } from '../components/parts.tsx'
import { Profiler } from '../components/profiler.tsx'
import { ThreadDump } from '../components/thread-dump.tsx'

const TABS = [
  ['configuration', 'Configuration'],
  ['metrics', 'Metrics'],
  ['logs', 'Logs'],
  ['stdout', 'Stdout'],
  ['threads', 'Thread dump'],
  ['profiler', 'Profiler'],
] as const

/** The process that serves this page. */
export function JobManagerPage({ path }: { path: readonly string[] }) {
  const [tab = 'configuration'] = path
  const process = '/jobmanager'
  return (
    <>
      <h1>Job manager</h1>
      <Tabs base={['job-manager']} tabs={TABS} current={tab} />
      {tab === 'configuration' && <Configuration />}
      {tab === 'metrics' && (
        <Panel title="Metrics">
          <MetricPlots path={`${process}/metrics`} scope="job-manager" />
        </Panel>
      )}
      {(tab === 'logs' || tab === 'stdout') && (
        <LogFiles
          key={tab}
          process={process}
          place={['job-manager', tab]}
          kind={tab === 'logs' ? 'log' : 'stdout'}
        />
      )}
      {tab === 'threads' && <ThreadDump process={process} />}
      {tab === 'profiler' && <Profiler process={process} />}
    </>
  )
}

interface Environment {
  readonly jvm: { readonly version: string; readonly arch: string; readonly options: readonly string[] }
}

function Configuration() {
  const entries = usePoll<readonly { readonly key: string; readonly value: string }[]>(
    '/jobmanager/config',
    'once',
  )
  const environment = usePoll<Environment>('/jobmanager/environment', 'once')
  const [filter, setFilter] = useState('')
  const wanted = filter.toLowerCase()
  const search = (
    <input
      type="search"
      placeholder="Key or value"
      aria-label="Filter keys"
      value={filter}
      onInput={event => setFilter(event.currentTarget.value)}
    />
  )
  return (
    <>
      <Panel title="Configuration" end={search}>
        <Shown answer={entries} what="the configuration">
          {all => {
            const shown = all.filter(({ key, value }) => `${key} ${value}`.toLowerCase().includes(wanted))
            if (shown.length === 0) {
              return <Empty>{all.length === 0 ? 'Everything has its default value.' : 'No such key.'}</Empty>
            }
            return <KeyValueTable entries={shown.map(({ key, value }) => [key, value])} />
          }}
        </Shown>
      </Panel>
      <Panel title="Runtime">
        <Shown answer={environment} what="the runtime">
          {({ jvm }) => (
            <div class="pad">
              <Facts
                of={[
                  ['Version', jvm.version],
                  ['Processor', jvm.arch],
                  ['Options', jvm.options.length === 0 ? 'none' : <code>{jvm.options.join(' ')}</code>],
                ]}
              />
            </div>
          )}
        </Shown>
      </Panel>
    </>
  )
}
