import type { LoggerOptions } from '@flink-ts/common'
import type { CoordinatorCommand, CoordinatorReport, CoordinatorsDeployment } from '@flink-ts/gateways'

/** To a coordinator thread. `run` comes once, first. */
export type ThreadCommand =
  | {
      readonly type: 'run'
      readonly deployment: CoordinatorsDeployment
      readonly moduleUrl: string
      readonly logger: LoggerOptions
    }
  | { readonly type: 'command'; readonly command: CoordinatorCommand }
  /** Answered by `closed`. */
  | { readonly type: 'close' }

/** From a coordinator thread. */
export type ThreadReport =
  | { readonly type: 'report'; readonly report: CoordinatorReport }
  | { readonly type: 'closed' }
