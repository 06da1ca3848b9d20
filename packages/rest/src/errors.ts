import { defineError } from '@flink-ts/common'

/** The REST API would be open to everybody on the network. */
export const UnauthenticatedBinding = defineError<{ bindAddress: string }>({
  code: 'rest.unauthenticated-binding',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The REST API is not opened on ${d.bindAddress} (rest.bind-address), where others than this machine reach it, ` +
    'because it demands no token: set security.auth.token-file, or security.rest.allow-unauthenticated: true if the ' +
    'network is trusted, or bind it to 127.0.0.1.',
})

/** The port is taken or the address is not this machine's. */
export const BindFailed = defineError<{ bindAddress: string; port: number; reason: string }>({
  code: 'rest.bind-failed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The REST API cannot listen on ${d.bindAddress}:${d.port}: ${d.reason}. Free the port, or give another one by ` +
    'rest.port.',
})

/** No port of the reporter is free, or the address is not this machine's. */
export const PrometheusBindFailed = defineError<{ bindAddress: string; ports: string; reason: string }>({
  code: 'rest.prometheus-bind-failed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Metrics for Prometheus cannot be offered on ${d.bindAddress}, ports ${d.ports}: ${d.reason}. Give free ones by ` +
    'metrics.reporter.prom.port.',
})

/** The database does not take metrics. */
export const InfluxWriteFailed = defineError<{ server: string; database: string; reason: string }>({
  code: 'rest.influx-write-failed',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `InfluxDB at ${d.server} did not take metrics for the database '${d.database}': ${d.reason}. See ` +
    'metrics.reporter.influxdb.host, .port, .db, .username and .password, of InfluxDB 2.x .bucket, .org and .token; the ' +
    'database or bucket must be there.',
})

/** A reporter is switched on without saying where to write. */
export const InfluxDatabaseMissing = defineError<{ key: string }>({
  code: 'rest.influx-database-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The InfluxDB reporter needs ${d.key}: set it, or remove metrics.reporter.influxdb.factory.class.`,
})

/** A process is profiled already. */
export const ProfileRunning = defineError<{ process: string }>({
  code: 'rest.profile-running',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.process === '' ? 'The JobManager' : `TaskManager ${d.process}`} is being profiled: wait until that is over, GET ` +
    '.../profiler tells when.',
})

/** There is no such profile. */
export const ProfileNotFound = defineError<{ file: string }>({
  code: 'rest.profile-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no profile '${d.file}': it is not ready, or newer ones took its place (rest.profiling.history-size). GET ` +
    '.../profiler lists those that there are.',
})

/** A path or query parameter is not valid. */
export const InvalidParameter = defineError<{ name: string; value: string; expected: string }>({
  code: 'rest.invalid-parameter',
  domain: 'user',
  retry: 'no',
  message: d => `'${d.value}' is no valid ${d.name}: give ${d.expected}.`,
})

/** The job has no vertex of that id. */
export const VertexNotFound = defineError<{ jobId: string; vertexId: string; known: readonly string[] }>({
  code: 'rest.vertex-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `Job ${d.jobId} has no vertex ${d.vertexId}; it has ${d.known.join(', ')}.`,
})

/** The vertex has no such subtask, or nothing is known of that attempt. */
export const SubtaskNotFound = defineError<{
  vertexId: string
  subtask: string
  attempt: string | undefined
  parallelism: number
}>({
  code: 'rest.subtask-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Nothing is known of ${d.attempt === undefined ? '' : `attempt ${d.attempt} of `}subtask ${d.subtask} of vertex ` +
    `${d.vertexId}: it has the subtasks 0 to ${d.parallelism - 1}, of each the latest attempts are remembered.`,
})

/** No TaskManager of that id is registered. */
export const TaskManagerNotFound = defineError<{ id: string }>({
  code: 'rest.task-manager-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no TaskManager ${d.id}; /taskmanagers lists those that are registered.`,
})

/** The process has no such log file. */
export const LogNotFound = defineError<{ name: string; known: readonly string[] }>({
  code: 'rest.log-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    d.known.length === 0
      ? `There is no ${d.name} file: the process was started in the foreground and writes to its terminal; ` +
        'bin/start-cluster.sh and the daemons of bin/*.sh write files below env.log.dir.'
      : `There is no log file ${d.name}; there are ${d.known.join(', ')}.`,
})

/** Something that Flink's API has, and this cluster does not do. */
export const NotOffered = defineError<{ what: string; remedy: string }>({
  code: 'rest.not-offered',
  domain: 'user',
  retry: 'no',
  message: d => `${d.what} is not possible here: ${d.remedy}.`,
})

/** A page of another site made a browser send something that does more than look. */
export const ForeignPage = defineError<{ origin: string; host: string }>({
  code: 'rest.foreign-page',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.origin} may not make a browser change something at ${d.host}. If that is your own page behind a proxy, set ` +
    'security.auth.token-file, or security.rest.allow-unauthenticated: true if the network is trusted.',
})

/** An upload beyond the limit. */
export const UploadTooLarge = defineError<{ name: string; maxBytes: number }>({
  code: 'rest.upload-too-large',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.name} has more than ${d.maxBytes} bytes: run it by bin/flink run, which sends bundles in another way.`,
})

/** An upload without a file. */
export const UploadMissing = defineError<Record<string, never>>({
  code: 'rest.upload-missing',
  domain: 'user',
  retry: 'no',
  message: () =>
    'There is no file in the request: send a job bundle as multipart/form-data in the field jarfile.',
})

/** No disposal was started under that id, or its outcome is forgotten. */
export const TriggerNotFound = defineError<{ triggerId: string }>({
  code: 'rest.trigger-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no disposal of a savepoint with trigger id ${d.triggerId}; outcomes are remembered for 5 min.`,
})

/** No checkpoint of that id is remembered. */
export const CheckpointNotKnown = defineError<{ jobId: string; checkpointId: string }>({
  code: 'rest.checkpoint-not-known',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Nothing is known of checkpoint ${d.checkpointId} of job ${d.jobId}: only the latest are remembered ` +
    '(web.checkpoints.history), and savepoints and checkpoints of earlier runs are not.',
})

/** The records of a vertex pass no edge where they could be looked at. */
export const NothingToTap = defineError<{ vertex: string; side: string }>({
  code: 'rest.nothing-to-tap',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Nothing can be seen at the ${d.side} of ${d.vertex}: records are looked at between vertices, and it has ` +
    `${d.side === 'input' ? 'none before it' : 'none behind it'}. Ask for the other side, or break the chain ` +
    '(disableChaining, startNewChain) where you want to look.',
})

/** Too many look at records at the same time. */
export const TooManyTaps = defineError<{ limit: number }>({
  code: 'rest.too-many-taps',
  domain: 'external',
  retry: 'backoff',
  message: d => `${d.limit} others look at records of this cluster just now: try again in some seconds.`,
})

/** Too many wait for events. */
export const TooManyEventStreams = defineError<{ limit: number }>({
  code: 'rest.too-many-event-streams',
  domain: 'external',
  retry: 'backoff',
  message: d => `${d.limit} clients listen to events already: end some of their connections.`,
})

/** No operation of that id is known. */
export const OperationNotFound = defineError<{ id: string }>({
  code: 'rest.operation-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no operation ${d.id}, or it ended long ago: /v2/operations lists those that are known.`,
})
