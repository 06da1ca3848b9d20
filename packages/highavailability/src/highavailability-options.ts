import { durationType, type OptionType, option, storagePathType } from '@flink-ts/common'

/** Words of Flink for "none" are none. */
const typeType: OptionType<string> = {
  expected: 'NONE or filesystem',
  parse: text => text.trim().toLowerCase(),
  format: value => (value === 'none' ? 'NONE' : value),
}

/** Ids of clusters become names of folders. */
const clusterIdType: OptionType<string> = {
  expected: 'letters, digits, and . _ - between them, with a / in front or not',
  parse: text => (/^\/?[a-z0-9][a-z0-9._-]{0,127}$/i.test(text.trim()) ? text.trim() : undefined),
  format: String,
}

/** Ports as text: numbers and ranges. */
const portRangeType: OptionType<string> = {
  expected: 'a port, a range such as 50000-50010, or several of them with commas; 0: any free one',
  parse: text => (portsOf(text) === undefined ? undefined : text.trim()),
  format: String,
}

export const highAvailabilityType = option('high-availability.type', typeType, {
  defaultValue: 'none',
  description:
    'What JobManagers agree by on who leads, and where jobs outlive them. NONE: jobs end with the JobManager. ' +
    'filesystem: a lease and records in high-availability.storageDir.',
  deprecatedKeys: ['high-availability', 'recovery.mode'],
})

export const storageDir = option('high-availability.storageDir', storagePathType, {
  defaultValue: '',
  description:
    'Folder that all JobManagers, TaskManagers and clients reach, as path or URI: leader, jobs with their programs, ' +
    'positions of their checkpoints, results.',
  deprecatedKeys: ['high-availability.zookeeper.storageDir', 'recovery.zookeeper.storageDir'],
})

export const clusterId = option('high-availability.cluster-id', clusterIdType, {
  defaultValue: '/default',
  description: 'Tells clusters apart that share a folder; the same in all processes of a cluster.',
  deprecatedKeys: ['high-availability.zookeeper.path.namespace', 'recovery.zookeeper.path.namespace'],
})

export const jobManagerPort = option('high-availability.jobmanager.port', portRangeType, {
  defaultValue: '0',
  description:
    'Port of a JobManager with high availability, in place of jobmanager.rpc.port: others look it up where the leader ' +
    'is written down. A port, a range such as 50000-50010, or several with commas; 0: any free one.',
  deprecatedKeys: ['recovery.jobmanager.port'],
})

export const leaseDuration = option(
  'high-availability.filesystem.leader-election.lease-duration',
  durationType,
  {
    defaultValue: 10_000,
    description:
      'How long others wait for a sign of life of the leader before one of them takes over. More than heartbeat.timeout, ' +
      'so that TaskManagers have left a frozen leader by then. A leader that ended by itself, or was killed on the same ' +
      'machine, is followed at once.',
  },
)

export const renewDeadline = option(
  'high-availability.filesystem.leader-election.renew-deadline',
  durationType,
  {
    defaultValue: 7000,
    description:
      'A leader that could not renew its lease for so long gives up. Less than the lease duration.',
  },
)

export const retryPeriod = option('high-availability.filesystem.leader-election.retry-period', durationType, {
  defaultValue: 500,
  description: 'Time between renewals of the leader, and between looks of those who would follow it.',
})

/** All ports that a text allows, in order; undefined: it is not one. */
export function portsOf(text: string): readonly number[] | undefined {
  const ports: number[] = []
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(part)
    if (match === null) return undefined
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    if (first > last || last > 65_535) return undefined
    for (let port = first; port <= last; port++) ports.push(port)
  }
  return ports
}
