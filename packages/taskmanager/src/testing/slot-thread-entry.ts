import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { runSlotThread } from '../thread/run-slot-thread.ts'
import type { SlotThreadData } from '../thread/slot-messages.ts'

// Entry of slot threads in tests.
runSlotThread(parentPort as MessagePort, workerData as SlotThreadData)
