import { Empty } from '../../components/parts.tsx'
import { count, percent } from '../../model/format.ts'
import { useLook } from './use-look.ts'

/** GET /v2/jobs/:id/vertices/:id/keys */
interface KeysAnswer {
  readonly keyed: boolean
  readonly seen: number
  readonly maxParallelism: number
  readonly keys: readonly {
    readonly key: string
    readonly keyGroup: number
    readonly subtaskIndex: number
    readonly count: number
    readonly share: number
  }[]
  readonly keyGroups: readonly { readonly keyGroup: number }[]
}

/** The keys that most records of a moment have: which of them makes a subtask busier than others. */
export function KeysLook({ path }: { path: string }) {
  const { looking, data, failure, look } = useLook<KeysAnswer>()
  return (
    <section class="stack" aria-label="Keys">
      <div class="choices-line">
        <button type="button" disabled={looking} onClick={() => look(`/v2${path}/keys?durationMs=2000`)}>
          {looking ? 'Counts for 2 s …' : 'Count keys'}
        </button>
        {data?.keyed === true && (
          <span class="muted" role="status">
            {count(data.seen)} records, in {data.keyGroups.length} of {data.maxParallelism} key groups
          </span>
        )}
      </div>
      {failure !== undefined && (
        <p role="alert" class="failure">
          {failure}
        </p>
      )}
      {data?.keyed === false && <Empty>The records here have no keys, or none came.</Empty>}
      {data?.keyed === true && (
        <table>
          <thead>
            <tr>
              <th>Key</th>
              <th class="num">Records</th>
              <th class="num">Share</th>
              <th class="num">Key group</th>
              <th class="num">Subtask</th>
            </tr>
          </thead>
          <tbody>
            {data.keys.map(({ key, keyGroup, subtaskIndex, count: records, share }) => (
              <tr key={`${subtaskIndex} ${key}`}>
                <td class="wide mono">{key}</td>
                <td class="num">{count(records)}</td>
                <td class="num">{percent(share)}</td>
                <td class="num">{keyGroup}</td>
                <td class="num">{subtaskIndex + 1}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
