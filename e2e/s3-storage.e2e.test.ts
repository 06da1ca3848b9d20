import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasServer, TestServer } from '../tools/servers/test-server.ts'
import { countRows, expectRows, rowsIn } from './harness/output.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')
const BUCKET = 'flink'
const RECORDS = 6000
const KEYS = 50
/** Made by npm run build:rocksdb; in CI always. */
const hasRocksDb = existsSync(join(REPOSITORY, 'packages/rocksdb/build/rocksdb.node'))
const BACKEND = hasRocksDb ? ['-D', 'state.backend.type=rocksdb'] : []

describe.skipIf(!hasServer('versitygw.sh'))('S3', () => {
  let server: TestServer
  let cluster: TestCluster
  beforeAll(async () => {
    server = await TestServer.start('versitygw.sh', BUCKET)
    cluster = await TestCluster.start({
      taskManagers: 2,
      slots: 1,
      configuration: {
        's3.endpoint': server.address,
        's3.path.style.access': 'true',
        's3.access-key': 'test',
        's3.secret-key': 'testtest',
        'execution.checkpointing.dir': `s3://${BUCKET}/checkpoints`,
        'execution.checkpointing.incremental': 'true',
        'high-availability.type': 'filesystem',
        'high-availability.storageDir': `s3://${BUCKET}/ha`,
        // State goes to objects, so that a restart needs them.
        'execution.checkpointing.data-inline-threshold': '0 b',
      },
    })
  }, 300_000)
  afterAll(async () => {
    const left = await cluster?.stop()
    await server?.stop()
    expect(left).toEqual([])
  })

  /** Files of the store below a folder of the bucket: objects are files there. */
  const objects = (folder: string): readonly string[] => {
    const path = join(server.folder, 'data', BUCKET, folder)
    if (!existsSync(path)) return []
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(path.length + 1))
  }

  const run = (output: string, rate: number, ...more: string[]) =>
    cluster.flink(
      ...['run', '-p', '2', ...more, JOB, '--output', `s3://${BUCKET}/${output}`],
      ...['--records', String(RECORDS), '--rate', String(rate)],
    )

  test('a TaskManager and the JobManager are killed: each count is written once, nothing is left behind', async () => {
    const running = run('killed', 1500, ...BACKEND)
    const jobId = await cluster.submitted(running)
    await cluster.firstCheckpoint(jobId)
    await cluster.killTaskManager(0)
    cluster.startTaskManager()
    await cluster.untilJob(jobId, 'RUNNING')
    // The next one has the job, its bundle and its latest checkpoint from the store.
    await cluster.endJobManager('SIGKILL')
    cluster.startJobManager()
    const { code, stdout, stderr } = await running.finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    expectRows(rowsIn(join(server.folder, 'data', BUCKET, 'killed')), countRows(RECORDS, KEYS))
    expect(objects('checkpoints')).toEqual([])
    // Where versitygw keeps uploads that nobody has completed.
    expect(objects('.sgwtmp')).toEqual([])
    await cluster.waitForSlots(2)
  })

  test('a job is stopped with a savepoint and goes on from it; another one reads its files', async () => {
    const first = run('stopped', 300)
    const jobId = await cluster.submitted(first)
    await cluster.firstCheckpoint(jobId)
    const stop = cluster.flink('stop', '--savepointPath', `s3://${BUCKET}/savepoints`, jobId)
    const stopped = await stop.finished
    expect(stopped.code, stopped.stderr).toBe(0)
    const savepoint = /s3:\/\/\S*savepoint-[0-9a-z-]+/.exec(stopped.stdout)?.[0] ?? ''
    expect(savepoint).toContain(`s3://${BUCKET}/savepoints/savepoint-`)
    await first.finished
    const second = run('stopped', 6000, '-s', savepoint)
    const { code, stdout, stderr } = await second.finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    const written = rowsIn(join(server.folder, 'data', BUCKET, 'stopped'))
    expectRows(written, countRows(RECORDS, KEYS))

    // What it has written is read from there in pieces.
    const reading = cluster.flink(
      ...['run', '-p', '2', join(REPOSITORY, 'e2e/jobs/chaos-files.ts'), '--slow-ms', '0'],
      ...['--input', `s3://${BUCKET}/stopped`, '--output', `s3://${BUCKET}/read`],
    )
    const read = await reading.finished
    expect(read.code, `${read.stdout}\n${read.stderr}`).toBe(0)
    const lines = rowsIn(join(server.folder, 'data', BUCKET, 'read')).filter(row => !row.startsWith('count '))
    expectRows(lines, written)
  })

  test('a bucket that is missing is said before the job starts', async () => {
    const running = cluster.flink(
      ...['run', '-Dexecution.checkpointing.dir=s3://no-such-bucket/x', JOB],
      ...['--output', `s3://${BUCKET}/refused`],
    )
    const { code, stderr } = await running.finished
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /No checkpoints can be written to s3:\/\/no-such-bucket\/x.*there is no bucket 'no-such-bucket'/,
    )
  })
})
