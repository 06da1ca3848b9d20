import { authTokenOf, type Configuration, type Logger, VERSION } from '@flink-ts/common'
import { fileSystemFor, toUri } from '@flink-ts/filesystem'
import { createRestServer, RestOptionKeys } from '@flink-ts/rest'
import { WEB_PAGE_FOLDER } from '@flink-ts/web'
import { NoArchiveDirectory } from '../errors.ts'
import { ArchivedJobs } from '../history/archived-jobs.ts'
import {
  HISTORY_ADDRESS,
  HISTORY_DIRECTORIES,
  HISTORY_PORT,
  HISTORY_REFRESH_INTERVAL,
  HISTORY_RETAINED_JOBS,
  JOB_ARCHIVE_DIRECTORY,
} from '../history/history-options.ts'
import { JobArchive } from '../history/job-archive.ts'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'
import { runProcess } from './process-start.ts'

await runProcess('historyserver', async ({ configuration, logger, logFile, clock, random }) => {
  const jobs = new ArchivedJobs(
    {
      refreshIntervalMs: configuration.get(HISTORY_REFRESH_INTERVAL),
      retainedJobs: configuration.get(HISTORY_RETAINED_JOBS),
    },
    { archives: archivesOf(configuration, logger), clock, logger },
  )
  await jobs.start()
  const monitor = new NodeProcessMonitor({ logFile }, { clock, threads: () => [] })
  const rest = createRestServer(
    {
      bindAddress: configuration.get(HISTORY_ADDRESS),
      port: configuration.get(HISTORY_PORT),
      allowUnauthenticated: configuration.get(RestOptionKeys.allowUnauthenticated),
      authToken: authTokenOf(configuration),
      webPage: WEB_PAGE_FOLDER,
      history: true,
    },
    { dispatcher: jobs, configuration, monitor, clock, random, logger, version: VERSION },
  )
  const port = await rest.start()
  logger.info({ port }, 'History server is ready')
  return {
    async close() {
      jobs.close()
      await rest.close()
      monitor.close()
    },
  }
})

function archivesOf(configuration: Configuration, logger: Logger): readonly JobArchive[] {
  const listed = configuration.get(HISTORY_DIRECTORIES) || configuration.get(JOB_ARCHIVE_DIRECTORY)
  const directories = listed
    .split(',')
    .map(path => path.trim())
    .filter(path => path !== '')
  if (directories.length === 0) throw NoArchiveDirectory({})
  return directories.map(path => {
    const directory = toUri(path)
    return new JobArchive({ directory }, { fileSystem: fileSystemFor(directory), logger })
  })
}
