import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasServer, TestServer } from '../tools/servers/test-server.ts'
import { countRows, expectRows } from './harness/output.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')
const RECORDS = 12_000
const KEYS = 50
/** Made by npm run build:rocksdb; in CI always. */
const hasRocksDb = existsSync(join(REPOSITORY, 'packages/rocksdb/build/rocksdb.node'))
const BACKEND = hasRocksDb ? ['-D', 'state.backend.type=rocksdb'] : []

describe.skipIf(!hasServer('hdfs.sh'))('HDFS', () => {
  let server: TestServer
  let cluster: TestCluster
  beforeAll(async () => {
    server = await TestServer.start('hdfs.sh')
    cluster = await TestCluster.start({
      taskManagers: 2,
      slots: 1,
      configuration: {
        'fs.hdfs.hadoopconf': join(server.folder, 'conf/nn'),
        'execution.checkpointing.dir': `${server.addresses[1]}/checkpoints`,
        'execution.checkpointing.incremental': 'true',
        'high-availability.type': 'filesystem',
        'high-availability.storageDir': `${server.addresses[1]}/ha`,
        // State goes to files, so that a restart needs them.
        'execution.checkpointing.data-inline-threshold': '0 b',
        'execution.checkpointing.tolerable-failed-checkpoints': '100',
      },
    })
  }, 300_000)
  afterAll(async () => {
    const left = await cluster?.stop()
    await server?.stop()
    expect(left).toEqual([])
  })

  interface Listing {
    readonly FileStatuses?: { readonly FileStatus: readonly { readonly pathSuffix: string }[] }
  }
  /** Names in a folder. */
  const names = async (folder: string): Promise<readonly string[]> => {
    const answer = await fetch(`${server.address}/webhdfs/v1/${folder}?op=LISTSTATUS`)
    return ((await answer.json()) as Listing).FileStatuses?.FileStatus.map(file => file.pathSuffix) ?? []
  }
  /** A file's content. The NameNode names the DataNode that was killed until it misses its heartbeat. */
  const read = async (path: string): Promise<string> => {
    let content: string | undefined
    await cluster.until(`content of ${path}`, 60_000, async () => {
      const answer = await fetch(`${server.address}/webhdfs/v1/${path}?op=OPEN`).catch(() => undefined)
      content = answer?.ok === true ? await answer.text() : undefined
      return content !== undefined
    })
    return content as string
  }

  test('a TaskManager, a DataNode and the JobManager are killed: each count is written once, nothing is left behind', async () => {
    const running = cluster.flink(
      ...['run', '-p', '2', ...BACKEND, JOB, '--output', `${server.addresses[1]}/output`],
      ...['--records', String(RECORDS), '--rate', '3000'],
    )
    const jobId = await cluster.submitted(running)
    await cluster.firstCheckpoint(jobId)
    await server.run('kill-dn', '1')
    await cluster.killTaskManager(0)
    cluster.startTaskManager()
    await cluster.untilJob(jobId, 'RUNNING')
    // The next one has the job, its bundle and its latest checkpoint from HDFS.
    await cluster.endJobManager('SIGKILL')
    cluster.startJobManager()
    const { code, stdout, stderr } = await running.finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    const rows: string[] = []
    for (const name of await names('output')) {
      expect(name).toMatch(/^part-/)
      rows.push(...(await read(`output/${name}`)).split('\n').slice(0, -1))
    }
    expectRows(rows.sort(), countRows(RECORDS, KEYS))
    expect(await names('checkpoints')).toEqual([])
    // It removes what the killed one left when it starts.
    await cluster.waitForSlots(2)
  })
})
