import { VERSION } from '@flink-ts/common'
import { GrpcRpcClient, sessionSettingsOf } from '@flink-ts/rpc'
import { LOG_LEVEL } from '../cluster-options.ts'
import { startJobHostComponents } from '../components/job-host-components.ts'
import { JOB_HOST_ENVIRONMENT } from '../components/job-host-process.ts'
import { runProcess } from './process-start.ts'

const jobManagerAddress = process.env[JOB_HOST_ENVIRONMENT.address] ?? ''
const token = process.env[JOB_HOST_ENVIRONMENT.token] ?? ''
// User code has no use for it.
delete process.env[JOB_HOST_ENVIRONMENT.token]

await runProcess('jobhost', async (start, end) => {
  const { configuration, logger, logFile, clock, random, workingDirectory, resourceId } = start
  // The JobManager is gone, maybe without a word.
  process.once('disconnect', () => end('the JobManager is gone', 0))
  const rpc = new GrpcRpcClient(
    { resourceId, version: VERSION, settings: sessionSettingsOf(configuration) },
    { clock, random, logger: logger.child({ component: 'rpc' }) },
  )
  await rpc.start()
  return startJobHostComponents(
    {
      configuration,
      jobManagerAddress,
      token,
      folder: workingDirectory.path,
      threadLogger: { level: configuration.get(LOG_LEVEL), ...(logFile !== undefined && { file: logFile }) },
    },
    { rpc, clock, logger, onLost: reason => end(reason, 0) },
  )
})
