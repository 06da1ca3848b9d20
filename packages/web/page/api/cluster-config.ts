import { signal } from '@preact/signals'
import type { DashboardConfiguration } from './shapes.ts'

/** GET /config; undefined: not answered yet. Set by the frame of the page. */
export const clusterConfig = signal<DashboardConfiguration | undefined>(undefined)

/** Whether programs can be uploaded and run here. */
export function takesPrograms(): boolean {
  const features = clusterConfig.value?.features
  return features?.['web-submit'] === true && features['web-history'] !== true
}

/** Whether jobs can be ended from the page. Clusters that say nothing of it allow it. */
export function endsJobs(): boolean {
  return clusterConfig.value?.features['web-cancel'] !== false
}

/** Whether this is a history server: all jobs are over, and there are no processes. */
export function isHistory(): boolean {
  return clusterConfig.value?.features['web-history'] === true
}
