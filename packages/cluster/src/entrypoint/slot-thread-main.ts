import { parentPort } from 'node:worker_threads'
import { preloadRuntime } from '@flink-ts/jobgraph'
import { runSlotThread } from '@flink-ts/taskmanager/slot-thread'

if (parentPort === null) throw new Error('slot-thread-main is the body of a worker thread')
runSlotThread(parentPort)
// While the thread waits for its tasks. If it fails, the replay loads it again and its failure is theirs.
preloadRuntime(import.meta.url).catch(() => {})
