import type { JobOverview, ResourceOverview } from '@flink-ts/gateways'
import type { JobStatus } from '@flink-ts/jobgraph'

/** Milliseconds between two refreshes of the web page. */
const REFRESH_INTERVAL_MS = 3000

/** GET /overview */
export function clusterOverview(
  resources: ResourceOverview,
  jobs: readonly JobOverview[],
  version: string,
): object {
  const count = (...statuses: readonly JobStatus[]) =>
    jobs.filter(job => statuses.includes(job.status)).length
  const ended = count('FINISHED') + count('CANCELED') + count('FAILED')
  return {
    taskmanagers: resources.taskManagers.length,
    'slots-total': resources.totalSlots,
    'slots-available': resources.freeSlots,
    'jobs-running': jobs.length - ended,
    'jobs-finished': count('FINISHED'),
    'jobs-cancelled': count('CANCELED'),
    'jobs-failed': count('FAILED'),
    'flink-version': version,
  }
}

/** GET /config */
export function dashboardConfiguration(
  version: string,
  nowMs: number,
  offers: { readonly programs: boolean; readonly cancel: boolean; readonly history: boolean },
): object {
  const offsetMinutes = -new Date(nowMs).getTimezoneOffset()
  return {
    'refresh-interval': REFRESH_INTERVAL_MS,
    'timezone-name': new Intl.DateTimeFormat('en').resolvedOptions().timeZone,
    'timezone-offset': offsetMinutes * 60_000,
    'flink-version': version,
    features: {
      'web-submit': offers.programs,
      'web-cancel': offers.cancel,
      'web-rescale': false,
      'web-history': offers.history,
    },
  }
}
