import { durationType, enumType, integerType, option, stringType } from '@flink-ts/common'

/** Configuration keys of the JobMaster. */
export const JobManagerOptionKeys = {
  slotRequestTimeout: option('slot.request.timeout', durationType, {
    defaultValue: 300_000,
    description: 'How long a job waits for the slots it needs before it fails.',
  }),
  slotIdleTimeout: option('slot.idle.timeout', durationType, {
    defaultValue: 50_000,
    description: 'After how long a job gives back slots that it has beyond its need.',
  }),
  restartStrategy: option(
    'restart-strategy.type',
    enumType('default', 'none', 'off', 'disable', 'fixed-delay', 'fixeddelay'),
    {
      defaultValue: 'default',
      description:
        "When a failed job is started again, unless the job says so itself: none (off, disable) or fixed-delay. 'default': " +
        'fixed-delay without a limit if checkpoints are on, none otherwise.',
      deprecatedKeys: ['restart-strategy'],
    },
  ),
  fixedDelayAttempts: option('restart-strategy.fixed-delay.attempts', integerType, {
    defaultValue: 1,
    description: 'How often a job is started again before it fails for good, with the strategy fixed-delay.',
  }),
  fixedDelayDelay: option('restart-strategy.fixed-delay.delay', durationType, {
    defaultValue: 1000,
    description: 'Pause between a failure and the next start, with the strategy fixed-delay.',
  }),
  checkpointDirectory: option('execution.checkpointing.dir', stringType, {
    defaultValue: '',
    description: 'Folder of the checkpoints as URI (file:///...), unless the job names one. Empty: none.',
    deprecatedKeys: ['state.checkpoints.dir', 'state.backend.fs.checkpointdir'],
  }),
  exceptionHistorySize: option('web.exception-history-size', integerType, {
    defaultValue: 16,
    description: 'How many failures of a job are remembered.',
  }),
}
