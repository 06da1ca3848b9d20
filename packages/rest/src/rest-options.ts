import {
  booleanType,
  durationType,
  enumType,
  integerFrom,
  type OptionType,
  option,
  portType,
  stringType,
} from '@flink-ts/common'

const portRangeType: OptionType<{ readonly from: number; readonly to: number }> = {
  expected: 'a port or a range of ports such as 9250-9260',
  parse(text) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim()) ?? []
    if (first === undefined) return undefined
    const [from, to] = [Number(first), Number(last)]
    return from <= to && to <= 65_535 ? { from, to } : undefined
  },
  format: ({ from, to }) => (from === to ? String(from) : `${from}-${to}`),
}

/** Reporters that are known, by the ends of Flink's names for them. */
const reporterType: OptionType<'prometheus' | 'none'> = {
  expected: 'org.apache.flink.metrics.prometheus.PrometheusReporterFactory',
  parse: text => {
    if (text === '') return 'none'
    return /(^|\.)PrometheusReporter(Factory)?$/.test(text) ? 'prometheus' : undefined
  },
  format: value => (value === 'none' ? '' : 'PrometheusReporterFactory'),
}

const influxType: OptionType<'influxdb' | 'none'> = {
  expected: 'org.apache.flink.metrics.influxdb.InfluxdbReporterFactory',
  parse: text => {
    if (text === '') return 'none'
    return /(^|\.)InfluxdbReporter(Factory)?$/.test(text) ? 'influxdb' : undefined
  },
  format: value => (value === 'none' ? '' : 'InfluxdbReporterFactory'),
}

const INFLUX = 'metrics.reporter.influxdb'

/** Configuration keys of the InfluxDB reporter. */
export const InfluxOptionKeys = {
  reporter: option(`${INFLUX}.factory.class`, influxType, {
    defaultValue: 'none',
    description:
      'Set to org.apache.flink.metrics.influxdb.InfluxdbReporterFactory, the JobManager writes the metrics of the whole ' +
      'cluster to InfluxDB.',
    deprecatedKeys: [`${INFLUX}.class`],
  }),
  host: option(`${INFLUX}.host`, stringType, { defaultValue: '', description: 'Host of InfluxDB.' }),
  port: option(`${INFLUX}.port`, portType, { defaultValue: 8086, description: 'Port of InfluxDB.' }),
  scheme: option(`${INFLUX}.scheme`, enumType('http', 'https'), {
    defaultValue: 'http',
    description: 'How InfluxDB is reached: http or https.',
  }),
  database: option(`${INFLUX}.db`, stringType, {
    defaultValue: '',
    description: 'Database of InfluxDB 1.x; it must be there.',
  }),
  bucket: option(`${INFLUX}.bucket`, stringType, {
    defaultValue: '',
    description: `Bucket of InfluxDB 2.x; it must be there. With it, the API of 2.x is used, and ${INFLUX}.db is not needed.`,
  }),
  organization: option(`${INFLUX}.org`, stringType, {
    defaultValue: '',
    description: 'Organization of the bucket, by name or id.',
  }),
  token: option(`${INFLUX}.token`, stringType, {
    defaultValue: '',
    description: 'API token of InfluxDB 2.x that may write to the bucket; empty: it demands none.',
  }),
  username: option(`${INFLUX}.username`, stringType, {
    defaultValue: '',
    description: 'User of InfluxDB; empty: it demands none.',
  }),
  password: option(`${INFLUX}.password`, stringType, {
    defaultValue: '',
    description: 'Password of that user.',
  }),
  retentionPolicy: option(`${INFLUX}.retentionPolicy`, stringType, {
    defaultValue: '',
    description: "Retention policy of what is written; empty: the database's own.",
  }),
  consistency: option(`${INFLUX}.consistency`, enumType('ONE', 'ALL', 'ANY', 'QUORUM'), {
    defaultValue: 'ONE',
    description: 'How many nodes of InfluxDB must have taken what is written.',
  }),
  writeTimeout: option(`${INFLUX}.writeTimeout`, durationType, {
    defaultValue: 10_000,
    description: 'How long one request to InfluxDB may take, the connection included.',
  }),
  interval: option(`${INFLUX}.interval`, durationType, {
    defaultValue: 10_000,
    description: 'How often metrics are written to InfluxDB.',
  }),
}

/** Configuration keys of the REST API. */
export const RestOptionKeys = {
  port: option('rest.port', portType, {
    defaultValue: 8081,
    description: 'Port of the REST API; 0: any free one.',
    deprecatedKeys: ['rest.bind-port'],
  }),
  bindAddress: option('rest.bind-address', stringType, {
    defaultValue: '127.0.0.1',
    description: 'Address on which the REST API listens.',
  }),
  submitEnabled: option('web.submit.enable', booleanType, {
    defaultValue: true,
    description: 'Whether programs can be uploaded and run by REST and the web page.',
    deprecatedKeys: ['jobmanager.web.submit.enable'],
  }),
  cancelEnabled: option('web.cancel.enable', booleanType, {
    defaultValue: true,
    description:
      'Whether the web page offers to cancel, stop and restart jobs. The REST API does it in any case.',
  }),
  uploadFolder: option('web.upload.dir', stringType, {
    defaultValue: '',
    description:
      'Folder of uploaded programs. If empty, one that is removed with the JobManager process; programs in a folder ' +
      'that is named here stay.',
    deprecatedKeys: ['jobmanager.web.upload.dir'],
  }),
  prometheusReporter: option('metrics.reporter.prom.factory.class', reporterType, {
    defaultValue: 'none',
    description:
      'Set to org.apache.flink.metrics.prometheus.PrometheusReporterFactory, the JobManager offers the metrics of the ' +
      'whole cluster to Prometheus, on rest.bind-address.',
    deprecatedKeys: ['metrics.reporter.prom.class'],
  }),
  prometheusPort: option('metrics.reporter.prom.port', portRangeType, {
    defaultValue: { from: 9249, to: 9249 },
    description:
      'Port of the metrics for Prometheus, or a range, of which the first free one is taken; 0: any.',
  }),
  flameGraphEnabled: option('rest.flamegraph.enabled', booleanType, {
    defaultValue: true,
    description:
      'Whether flame graphs are made of tasks that somebody looks at. Nothing is sampled before somebody does.',
  }),
  flameGraphSamples: option('rest.flamegraph.num-samples', integerFrom(1, 10_000), {
    defaultValue: 100,
    description:
      'With rest.flamegraph.delay-between-samples: for how long threads are looked at for one flame graph, at most a ' +
      'minute. Samples are taken about every millisecond of that time.',
  }),
  flameGraphDelay: option('rest.flamegraph.delay-between-samples', durationType, {
    defaultValue: 50,
    description: 'See rest.flamegraph.num-samples.',
  }),
  flameGraphRefreshInterval: option('rest.flamegraph.refresh-interval', durationType, {
    defaultValue: 60_000,
    description: 'A flame graph that is older is made anew when somebody looks at it.',
  }),
  flameGraphCleanupInterval: option('rest.flamegraph.cleanup-interval', durationType, {
    defaultValue: 600_000,
    description: 'A flame graph that nobody has looked at for so long is forgotten.',
  }),
  flameGraphStackDepth: option('rest.flamegraph.stack-depth', integerFrom(1, 1000), {
    defaultValue: 100,
    description: 'Calls below this depth are left out of flame graphs.',
  }),
  profilingEnabled: option('rest.profiling.enabled', booleanType, {
    defaultValue: true,
    description:
      'Whether whole processes can be profiled by REST and the web page, for a time that is asked for.',
  }),
  profilingMostDuration: option('rest.profiling.duration-max', durationType, {
    defaultValue: 300_000,
    description: 'The longest time for which a process can be profiled.',
  }),
  profilingHistory: option('rest.profiling.history-size', integerFrom(1, 100), {
    defaultValue: 10,
    description: 'Profiles that are kept of each process; older ones are forgotten.',
  }),
  allowUnauthenticated: option('security.rest.allow-unauthenticated', booleanType, {
    defaultValue: false,
    description:
      'Opens the REST API beyond this machine although it demands no token (security.auth.token-file): whoever ' +
      'reaches the port can see and cancel all jobs.',
  }),
}
