// Submits a small job again and again to one cluster, and says what that leaves: resident memory of JobManager and
// TaskManager after 20 submissions and at the end (200, or the first argument), threads, files. Exits with 1 if memory has
// grown by more than a tenth. Needs `npm run build`.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestCluster } from '../e2e/harness/test-cluster.ts'

const WARM = 20
const total = Number(process.argv[2] ?? 200)
/** So many submissions share a bundle. */
const SAME_BUNDLE = 10
const GROWTH = 1.1

const cluster = await TestCluster.start({ taskManagers: 1, slots: 2, bundled: true })

function program(version: number): string {
  const file = join(cluster.folder, 'job.ts')
  writeFileSync(
    file,
    `import { StreamExecutionEnvironment } from 'flink-ts'
// Version ${version}
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.fromSequence(1, 1000).keyBy(n => n % 7).reduce((a, b) => a + b).print()
await env.execute('small job')
`,
  )
  return file
}

interface Usage {
  readonly rssMb: number
  readonly threads: number
}

const statusOf = (pid: number | undefined, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** The least of several seconds, in which the process has nothing to do. */
async function usage(pid: number | undefined): Promise<Usage> {
  let rssKb = Number.POSITIVE_INFINITY
  for (let i = 0; i < 6; i++) {
    await sleep(500)
    rssKb = Math.min(rssKb, statusOf(pid, 'VmRSS'))
  }
  return { rssMb: Math.round(rssKb / 102.4) / 10, threads: statusOf(pid, 'Threads') }
}

/** Bundles and blobs. The runtime that bundles lead to is not counted. */
const files = (): number =>
  readdirSync(join(cluster.folder, 'tmp'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .flatMap(({ name }) => ['bundles', 'blobs'].map(kind => join(cluster.folder, 'tmp', name, kind)))
    .flatMap(folder => (existsSync(folder) ? readdirSync(folder) : [])).length

async function look(): Promise<Readonly<Record<'JobManager' | 'TaskManager', Usage>> & { files: number }> {
  const [jobManager, taskManager] = await Promise.all([
    usage(cluster.jobManagerPid),
    usage(cluster.taskManagers[0]?.pid),
  ])
  return { JobManager: jobManager, TaskManager: taskManager, files: files() }
}

let before: Awaited<ReturnType<typeof look>> | undefined
for (let i = 1; i <= total; i++) {
  const file = program(Math.floor((i - 1) / SAME_BUNDLE))
  const { code, stderr } = await cluster.flink('run', file).finished
  if (code !== 0) throw new Error(`submission ${i} failed: ${stderr}`)
  if (i === WARM) {
    before = await look()
    console.log(`after ${i}:`, JSON.stringify(before))
  } else if (i % 50 === 0) console.log(`after ${i}:`, JSON.stringify(await look()))
}
const after = await look()
console.log(`after ${total}:`, JSON.stringify(after))
const left = await cluster.stop()
const grown = (['JobManager', 'TaskManager'] as const).filter(
  name => after[name].rssMb > (before?.[name].rssMb ?? Number.POSITIVE_INFINITY) * GROWTH,
)
for (const name of grown) console.error(`${name} has grown by more than ${Math.round((GROWTH - 1) * 100)} %`)
for (const what of left) console.error(`left behind: ${what}`)
process.exit(grown.length + left.length > 0 ? 1 : 0)
