import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, upload } from '../../api/client.ts'
import { Panel } from '../../components/parts.tsx'
import { bytes, percent } from '../../model/format.ts'

/** A file on its way, or what became of it. */
interface Sending {
  readonly key: number
  readonly name: string
  readonly sizeBytes: number
  readonly share: number
  readonly failure?: string
}

/**
 * Takes job bundles: dropped, or chosen. Several are sent one after the other.
 * @param uploaded told the id of each that has arrived
 */
export function Uploads({ uploaded }: { uploaded: (id: string) => void }) {
  const [sendings, setSendings] = useState<readonly Sending[]>([])
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const gone = useRef(new AbortController())
  const queue = useRef(Promise.resolve())
  const next = useRef(0)
  useEffect(() => {
    const leaving = gone.current
    return () => leaving.abort()
  }, [])
  const take = (files: FileList | null | undefined): void => {
    for (const file of files ?? []) {
      const key = next.current++
      const change = (part: Partial<Sending>): void =>
        setSendings(all => all.map(one => (one.key === key ? { ...one, ...part } : one)))
      setSendings(all => [...all, { key, name: file.name, sizeBytes: file.size, share: 0 }])
      queue.current = queue.current.then(async () => {
        try {
          const { filename } = await upload<{ filename: string }>(
            '/jars/upload',
            'jarfile',
            file,
            share => change({ share }),
            gone.current.signal,
          )
          setSendings(all => all.filter(one => one.key !== key))
          uploaded(filename)
        } catch (error) {
          change({ failure: error instanceof ApiError ? error.message : String(error) })
        }
      })
    }
  }
  return (
    <Panel title="Upload">
      <fieldset
        class={`drop${over ? ' over' : ''}`}
        onDragOver={event => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={event => {
          event.preventDefault()
          setOver(false)
          take(event.dataTransfer?.files)
        }}
      >
        <p>Drop a job bundle here, or</p>
        <button type="button" onClick={() => input.current?.click()}>
          Choose a file
        </button>
        <input
          ref={input}
          class="unseen"
          type="file"
          tabIndex={-1}
          multiple
          accept=".tgz,.tar.gz,application/gzip"
          aria-label="Job bundle"
          onChange={event => {
            take(event.currentTarget.files)
            // The same file again is another upload.
            event.currentTarget.value = ''
          }}
        />
        <p class="muted">
          <code>flink bundle job.ts -o job.tgz</code> makes one.
        </p>
      </fieldset>
      {sendings.map(({ key, name, sizeBytes, share, failure }) => (
        <div key={key} class="sending" role={failure === undefined ? 'status' : 'alert'}>
          <b>{name}</b>
          {failure === undefined && (
            <>
              <progress value={share} max={1} aria-label={`Upload of ${name}`} />
              <span class="muted">
                {share < 1 ? `${percent(share)} of ${bytes(sizeBytes)}` : 'is being checked …'}
              </span>
            </>
          )}
          {failure !== undefined && (
            <>
              <span class="failure">{failure}</span>
              <button
                type="button"
                class="plain"
                aria-label={`Dismiss ${name}`}
                onClick={() => setSendings(all => all.filter(one => one.key !== key))}
              >
                ✕
              </button>
            </>
          )}
        </div>
      ))}
    </Panel>
  )
}
