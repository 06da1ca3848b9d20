import { parentPort, workerData } from 'node:worker_threads'
import { runSlotThread, type SlotThreadData } from '@flink-ts/taskmanager'

if (parentPort === null) throw new Error('slot-thread-main is the body of a worker thread')
runSlotThread(parentPort, workerData as SlotThreadData)
