import { durationType, enumType, integerFrom, option, portType, stringType } from './option.ts'

// Keys that several packages read: one declaration, so that defaults and descriptions cannot differ.

/** Where TaskManagers and clients find the JobManager. */
export const JOBMANAGER_RPC_ADDRESS = option('jobmanager.rpc.address', stringType, {
  defaultValue: 'localhost',
  description: 'Host at which TaskManagers and clients reach the JobManager.',
})

/** Port that belongs to {@link JOBMANAGER_RPC_ADDRESS}. */
export const JOBMANAGER_RPC_PORT = option('jobmanager.rpc.port', portType, {
  defaultValue: 6123,
  description: 'Port at which TaskManagers and clients reach the JobManager.',
})

/** Read at planning and, if the job names none, by the JobMaster. */
export const CHECKPOINTS_DIRECTORY = option('execution.checkpointing.dir', stringType, {
  defaultValue: '',
  description:
    'Base directory of checkpoints, as path or URI (file:///...). Empty: none, and a job that takes checkpoints is ' +
    'refused. A setting of the job goes before that of the cluster.',
  deprecatedKeys: ['state.checkpoints.dir', 'state.backend.fs.checkpointdir'],
})

/** Read at planning and, if the job says `default`, by the JobMaster. */
export const RESTART_STRATEGY = option(
  'restart-strategy.type',
  enumType('default', 'none', 'off', 'disable', 'fixed-delay', 'fixeddelay'),
  {
    defaultValue: 'default',
    description:
      "When a failed job is started again: none (off, disable) or fixed-delay (fixeddelay). 'default': what the " +
      'cluster is configured to do; if it says nothing either, fixed-delay without a limit if checkpoints are on, none ' +
      'otherwise.',
    deprecatedKeys: ['restart-strategy'],
  },
)

/** Failures beyond this number end the job. */
export const FIXED_DELAY_ATTEMPTS = option('restart-strategy.fixed-delay.attempts', integerFrom(0), {
  defaultValue: 1,
  description: 'How often a job is started again before it fails for good, with the strategy fixed-delay.',
})

/** Milliseconds. */
export const FIXED_DELAY = option('restart-strategy.fixed-delay.delay', durationType, {
  defaultValue: 1000,
  description: 'Pause between a failure and the next start, with the strategy fixed-delay.',
})
