import { type MessagePort, parentPort } from 'node:worker_threads'
import { runSlotThread } from '../thread/run-slot-thread.ts'

// Entry of slot threads in tests.
runSlotThread(parentPort as MessagePort)
