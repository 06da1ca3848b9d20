import { durationType, enumType, integerFrom, type OptionType, option } from '@flink-ts/common'

function numberFrom(least: number, most = Infinity): OptionType<number> {
  return {
    expected: `a number from ${least}${most < Infinity ? ` to ${most}` : ''}`,
    parse: text => {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      return Number.isFinite(value) && value >= least && value <= most ? value : undefined
    },
    format: String,
  }
}

/** Plain data has no Infinity: what stands for it in a {@link JobGraph}. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER

const attemptsType: OptionType<number> = {
  expected: 'a whole number from 1, or infinite',
  parse: text => (/^\s*infinite\s*$/i.test(text) ? UNLIMITED : integerFrom(1).parse(text)),
  format: value => (value >= UNLIMITED ? 'infinite' : String(value)),
}

/** Read at planning and, if the job says `default`, by the JobMaster. */
export const RESTART_STRATEGY = option(
  'restart-strategy.type',
  enumType(
    ...(['default', 'none', 'off', 'disable', 'fixed-delay', 'fixeddelay'] as const),
    ...(['failure-rate', 'failurerate', 'exponential-delay', 'exponentialdelay'] as const),
  ),
  {
    defaultValue: 'default',
    description:
      'When a failed job is started again: none (off, disable), fixed-delay (fixeddelay), failure-rate (failurerate) or ' +
      "exponential-delay (exponentialdelay). 'default': what the cluster is configured to do; if it says nothing " +
      'either, exponential-delay if checkpoints are on, none otherwise.',
    deprecatedKeys: ['restart-strategy'],
  },
)

export const FIXED_DELAY_ATTEMPTS = option('restart-strategy.fixed-delay.attempts', integerFrom(0), {
  defaultValue: 1,
  description: 'How often a job is started again before it fails for good, with the strategy fixed-delay.',
})

export const FIXED_DELAY = option('restart-strategy.fixed-delay.delay', durationType, {
  defaultValue: 1000,
  description: 'Pause between a failure and the next start, with the strategy fixed-delay.',
})

export const FAILURE_RATE_MAX_FAILURES = option(
  'restart-strategy.failure-rate.max-failures-per-interval',
  integerFrom(1),
  {
    defaultValue: 1,
    description:
      'How many failures within the interval are answered by a restart, with the strategy failure-rate. One more, and ' +
      'the job fails for good.',
  },
)

export const FAILURE_RATE_INTERVAL = option(
  'restart-strategy.failure-rate.failure-rate-interval',
  durationType,
  { defaultValue: 60_000, description: 'The interval in which failures are counted, with failure-rate.' },
)

export const FAILURE_RATE_DELAY = option('restart-strategy.failure-rate.delay', durationType, {
  defaultValue: 1000,
  description: 'Pause between a failure and the next start, with the strategy failure-rate.',
})

export const EXPONENTIAL_INITIAL_BACKOFF = option(
  'restart-strategy.exponential-delay.initial-backoff',
  durationType,
  { defaultValue: 1000, description: 'Pause after the first failure, with the strategy exponential-delay.' },
)

export const EXPONENTIAL_MAX_BACKOFF = option(
  'restart-strategy.exponential-delay.max-backoff',
  durationType,
  { defaultValue: 60_000, description: 'Longest pause after a failure, with exponential-delay.' },
)

export const EXPONENTIAL_MULTIPLIER = option(
  'restart-strategy.exponential-delay.backoff-multiplier',
  numberFrom(1),
  {
    defaultValue: 1.5,
    description: 'By how much the pause grows with each further failure, with exponential-delay.',
  },
)

export const EXPONENTIAL_RESET_THRESHOLD = option(
  'restart-strategy.exponential-delay.reset-backoff-threshold',
  durationType,
  {
    defaultValue: 3_600_000,
    description:
      'After how long without a failure the pause is the initial one again, with exponential-delay.',
  },
)

export const EXPONENTIAL_JITTER = option(
  'restart-strategy.exponential-delay.jitter-factor',
  numberFrom(0, 1),
  {
    defaultValue: 0.1,
    description:
      'By which part of itself the pause is longer or shorter at random, with exponential-delay, so that jobs that ' +
      'failed together do not start together.',
  },
)

export const EXPONENTIAL_ATTEMPTS = option(
  'restart-strategy.exponential-delay.attempts-before-reset-backoff',
  attemptsType,
  {
    defaultValue: UNLIMITED,
    description:
      'How often a job is started again before it fails for good, with exponential-delay; counted anew when the pause ' +
      'is reset.',
  },
)
