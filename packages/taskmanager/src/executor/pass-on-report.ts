import { serializeError } from '@flink-ts/common'
import type { AllocatedSlot } from '../slots/allocated-slot.ts'
import type { SlotReport } from '../thread/slot-messages.ts'
import type { JobConnection } from './job-connection.ts'

/**
 * Tells the JobMaster what a slot thread says of its tasks; what is for the slot alone stays here.
 * @param slot whose thread it was
 */
export function passOnReport(
  report: SlotReport,
  job: Pick<JobConnection, 'tell'> | undefined,
  slot: Pick<AllocatedSlot, 'fail'>,
): void {
  switch (report.type) {
    case 'status':
      job?.tell('task state', gateway => gateway.updateTaskExecutionState(report.update))
      break
    case 'acknowledge':
      job?.tell('acknowledgement', gateway => gateway.acknowledgeCheckpoint(report.acknowledgement))
      break
    case 'decline':
      job?.tell('decline', gateway => gateway.declineCheckpoint(report.decline))
      break
    case 'end-of-data':
      job?.tell('end of data', gateway => gateway.notifyEndOfData(report.attemptId))
      break
    case 'operator-event': {
      const { attemptId, operatorId, event } = report
      job?.tell('operator event', async gateway => {
        try {
          await gateway.sendOperatorEvent(attemptId, operatorId, event)
        } catch (error) {
          // The operator believes that it arrived: it was too large, or the connection is gone.
          slot.fail(attemptId, serializeError(error))
          throw error
        }
      })
      break
    }
    case 'metrics':
      job?.tell('metrics', gateway => gateway.reportTaskMetrics(report.metrics))
      break
    case 'closing':
    case 'files':
    case 'local-copies':
    case 'states':
    case 'tapped':
    case 'crash':
      break
  }
}
