import { parentPort } from 'node:worker_threads'
import { preloadRuntime } from '@flink-ts/jobgraph'
import { runCoordinatorThread } from '@flink-ts/jobhost/coordinator-thread'

if (parentPort === null) throw new Error('coordinator-thread-main is the body of a worker thread')
runCoordinatorThread(parentPort)
// While the thread waits for its job. If it fails, the replay loads it again and its failure is the job's.
preloadRuntime(import.meta.url).catch(() => {})
