import {
  booleanType,
  type Configuration,
  durationType,
  enumType,
  integerFrom,
  memorySizeFrom,
  type OptionType,
  option,
  stringType,
} from '@flink-ts/common'

const MEGABYTE = 2 ** 20

const pluginsType: OptionType<ReadonlyMap<string, string>> = {
  expected: "schemes and modules such as gs: '@acme/flink-gs', abfs: /opt/flink/abfs.mjs",
  parse: text => {
    const plugins = new Map<string, string>()
    for (const entry of text.split(',').map(part => part.trim())) {
      if (entry === '') continue
      const match = /^([a-z][a-z0-9+.-]+):\s*['"]?([^'"\s].*?)['"]?$/i.exec(entry)
      if (match === null) return undefined
      plugins.set((match[1] as string).toLowerCase(), match[2] as string)
    }
    return plugins
  },
  format: plugins => [...plugins].map(([scheme, module]) => `${scheme}: ${module}`).join(', '),
}

/** File systems that others make. */
export const FILE_SYSTEM_PLUGINS = option('fs.plugins', pluginsType, {
  defaultValue: new Map<string, string>(),
  description:
    'File systems beside those that are built in, by scheme: a module (package, absolute path or URL) whose default ' +
    'export is a FileSystemFactory. It is loaded when the first file of the scheme is used.',
})

/** Where S3 is. */
export const S3_ENDPOINT = option('s3.endpoint', stringType, {
  defaultValue: '',
  description: 'URL of a store that speaks S3, such as http://minio:9000. Empty: Amazon, by region.',
})

/** Region of the buckets. */
export const S3_REGION = option('s3.endpoint.region', stringType, {
  defaultValue: '',
  description:
    'Region of the buckets. Empty: what the environment of the process says (AWS_REGION, profile), or us-east-1 if ' +
    's3.endpoint is set.',
  deprecatedKeys: ['s3.region'],
})

/** How a bucket is named in requests. */
export const S3_PATH_STYLE = option('s3.path.style.access', booleanType, {
  defaultValue: false,
  description:
    'Name the bucket in the path of URLs instead of in the host name. Most stores other than Amazon need true.',
  deprecatedKeys: ['s3.path-style-access'],
})

/** Who we are. */
export const S3_ACCESS_KEY = option('s3.access-key', stringType, {
  defaultValue: '',
  description:
    'Access key. Empty: what the environment of the process gives (AWS_ACCESS_KEY_ID, profiles, web identity, ' +
    'container and instance roles).',
  deprecatedKeys: ['s3.access.key'],
})

/** Proof of who we are. */
export const S3_SECRET_KEY = option('s3.secret-key', stringType, {
  defaultValue: '',
  description: 'Secret key that belongs to s3.access-key.',
  deprecatedKeys: ['s3.secret.key'],
})

/** Proof of who we are for some hours. */
export const S3_SESSION_TOKEN = option('s3.session.token', stringType, {
  defaultValue: '',
  description: 'Session token of temporary credentials that are given by s3.access-key and s3.secret-key.',
})

/** From which size on uploads are in parts. */
export const S3_PART_SIZE = option(
  's3.upload.min.part.size',
  memorySizeFrom(5 * MEGABYTE, 5 * 1024 * MEGABYTE),
  {
    defaultValue: 5 * MEGABYTE,
    description:
      'Size of the parts in which larger files are uploaded; it grows with the file, so that no file has too many parts. ' +
      'Each open file may keep s3.upload.max.concurrent.uploads parts and one more in memory.',
  },
)

/** Parts of a file on their way at the same time. */
export const S3_CONCURRENT_UPLOADS = option('s3.upload.max.concurrent.uploads', integerFrom(1, 1000), {
  defaultValue: 4,
  description: 'Parts of one file that are uploaded at the same time.',
})

/** How long a connection may take to come up. */
export const S3_CONNECT_TIMEOUT = option('s3.connection.establish.timeout', durationType, {
  defaultValue: 5000,
  description: 'How long to wait until a connection to S3 stands.',
})

/** How long the store may say nothing. */
export const S3_TIMEOUT = option('s3.connection.timeout', durationType, {
  defaultValue: 30_000,
  description: 'How long S3 may be silent in one request before the request is tried again.',
})

/** Connections of one thread. */
export const S3_CONNECTIONS = option('s3.connection.maximum', integerFrom(1, 10_000), {
  defaultValue: 64,
  description: 'Connections to S3 at the same time, for each thread of a process.',
})

/** How often requests are tried. */
export const S3_ATTEMPTS = option('s3.attempts.maximum', integerFrom(1, 100), {
  defaultValue: 5,
  description: 'How often a request to S3 is tried before it fails, the first time included.',
})

/** Checksums beyond signatures. */
export const S3_CHECKSUMS = option('s3.checksums', enumType('when-required', 'when-supported'), {
  defaultValue: 'when-required',
  description:
    'when-supported adds a CRC to each upload and verifies those of downloads. Many stores other than Amazon refuse ' +
    'that. The signature covers the content in any case.',
})

/** How to reach S3. Plain data. */
export interface S3Settings {
  /** Empty: Amazon. */
  readonly endpoint: string
  /** Empty: what the environment says. */
  readonly region: string
  readonly pathStyle: boolean
  /** Undefined: the chain of providers of the environment. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
    | undefined
  readonly partSizeBytes: number
  readonly concurrentUploads: number
  readonly connectTimeoutMs: number
  readonly timeoutMs: number
  readonly connections: number
  readonly attempts: number
  readonly checksums: 'when-required' | 'when-supported'
}

/** Throws `common.invalid-option-value`. */
export function s3SettingsOf(configuration: Configuration): S3Settings {
  const accessKeyId = configuration.get(S3_ACCESS_KEY)
  const secretAccessKey = configuration.get(S3_SECRET_KEY)
  const sessionToken = configuration.get(S3_SESSION_TOKEN)
  return {
    endpoint: configuration.get(S3_ENDPOINT),
    region: configuration.get(S3_REGION),
    pathStyle: configuration.get(S3_PATH_STYLE),
    credentials:
      accessKeyId === '' && secretAccessKey === ''
        ? undefined
        : { accessKeyId, secretAccessKey, ...(sessionToken !== '' && { sessionToken }) },
    partSizeBytes: configuration.get(S3_PART_SIZE),
    concurrentUploads: configuration.get(S3_CONCURRENT_UPLOADS),
    connectTimeoutMs: configuration.get(S3_CONNECT_TIMEOUT),
    timeoutMs: configuration.get(S3_TIMEOUT),
    connections: configuration.get(S3_CONNECTIONS),
    attempts: configuration.get(S3_ATTEMPTS),
    checksums: configuration.get(S3_CHECKSUMS),
  }
}

const addressesType: OptionType<readonly string[]> = {
  expected: 'addresses such as http://namenode1:9870, http://namenode2:9870',
  parse: text =>
    text
      .split(',')
      .map(address => address.trim().replace(/\/+$/, ''))
      .filter(address => address !== ''),
  format: addresses => addresses.join(', '),
}

/** Where the NameNodes answer. */
export const HDFS_ADDRESSES = option('hdfs.webhdfs.addresses', addressesType, {
  defaultValue: [],
  description:
    'HTTP addresses of the NameNodes of hdfs: URIs; with several of them the active one is found. Empty: those that ' +
    'the configuration of Hadoop names, else the host of the URI at port 9870. webhdfs: URIs name it themselves.',
})

/** Where Hadoop's configuration is. */
export const HDFS_HADOOP_CONFIGURATION = option('fs.hdfs.hadoopconf', stringType, {
  defaultValue: '',
  description:
    'Folder with core-site.xml and hdfs-site.xml, of which addresses are taken. Empty: the variable HADOOP_CONF_DIR.',
})

/** Who we are. */
export const HDFS_USER = option('hdfs.user.name', stringType, {
  defaultValue: '',
  description:
    'User to act as in clusters without Kerberos. Empty: the variable HADOOP_USER_NAME, else the user of the process.',
})

/** Proof of who we are. */
export const HDFS_DELEGATION_TOKEN = option('hdfs.delegation.token', stringType, {
  defaultValue: '',
  description: 'Delegation token for clusters with Kerberos, in the form that can be part of a URL.',
})

/** How long a connection may take to come up. */
export const HDFS_CONNECT_TIMEOUT = option('hdfs.connection.establish.timeout', durationType, {
  defaultValue: 5000,
  description: 'How long to wait until a connection to a NameNode or DataNode stands.',
})

/** How long a server may say nothing. */
export const HDFS_TIMEOUT = option('hdfs.connection.timeout', durationType, {
  defaultValue: 20_000,
  description: 'How long a NameNode or DataNode may be silent in one request before another one is asked.',
})

/** Connections of one thread. */
export const HDFS_CONNECTIONS = option('hdfs.connection.maximum', integerFrom(1, 10_000), {
  defaultValue: 32,
  description: 'Connections to each server of HDFS at the same time, for each thread of a process.',
})

/** How often requests are tried. */
export const HDFS_ATTEMPTS = option('hdfs.attempts.maximum', integerFrom(1, 100), {
  defaultValue: 8,
  description: 'How often a request to HDFS is tried before it fails, the first time included.',
})

/** How to reach HDFS. Plain data. */
export interface HdfsSettings {
  readonly addresses: readonly string[]
  /** Empty: none. */
  readonly hadoopConfigurationDir: string
  /** Empty: that of the process. */
  readonly user: string
  /** Empty: none. */
  readonly delegationToken: string
  readonly connectTimeoutMs: number
  readonly timeoutMs: number
  readonly connections: number
  readonly attempts: number
}

/** Throws `common.invalid-option-value`. */
export function hdfsSettingsOf(configuration: Configuration): HdfsSettings {
  return {
    addresses: configuration.get(HDFS_ADDRESSES),
    hadoopConfigurationDir:
      configuration.get(HDFS_HADOOP_CONFIGURATION) || (process.env['HADOOP_CONF_DIR'] ?? ''),
    user: configuration.get(HDFS_USER),
    delegationToken: configuration.get(HDFS_DELEGATION_TOKEN),
    connectTimeoutMs: configuration.get(HDFS_CONNECT_TIMEOUT),
    timeoutMs: configuration.get(HDFS_TIMEOUT),
    connections: configuration.get(HDFS_CONNECTIONS),
    attempts: configuration.get(HDFS_ATTEMPTS),
  }
}
