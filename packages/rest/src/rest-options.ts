import { booleanType, type OptionType, option, portType, stringType } from '@flink-ts/common'

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
  uploadFolder: option('web.upload.dir', stringType, {
    defaultValue: '',
    description:
      'Folder of uploaded programs. If empty, one that is removed with the JobManager process; programs in a folder ' +
      'that is named here stay.',
    deprecatedKeys: ['jobmanager.web.upload.dir'],
  }),
  prometheusReporter: option('metrics.reporter.prom.factory.class', reporterType, {
  cancelEnabled: option('web.cancel.enable', booleanType, {
    defaultValue: true,
    description:
      'Whether the web page offers to cancel, stop and restart jobs. The REST API does it in any case.',
  }),
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
  allowUnauthenticated: option('security.rest.allow-unauthenticated', booleanType, {
    defaultValue: false,
    description:
      'Opens the REST API beyond this machine although it demands no token (security.auth.token-file): whoever ' +
      'reaches the port can see and cancel all jobs.',
  }),
}
