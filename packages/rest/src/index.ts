// Owns: the monitoring REST API: routes, shapes of the answers, HTTP server.
// Called by: browsers, scripts, monitoring; wired by cluster.
// Calls: the Dispatcher.
// Thread: the main thread of the JobManager process.

export { RestOptionKeys } from './rest-options.ts'
export { InfluxReporter, influxReporterOptionsOf } from './server/influx-reporter.ts'
export type { ProgramRunOptions, Programs, UploadedProgram } from './server/program-routes.ts'
export {
  PrometheusServer,
  type PrometheusServerDependencies,
  type PrometheusServerOptions,
} from './server/prometheus-server.ts'
export {
  createRestServer,
  type RestServer,
  type RestServerDependencies,
  type RestServerOptions,
} from './server/rest-server.ts'
