import { userInfo } from 'node:os'
import type { FileSystem } from '../api/file-system.ts'
import { InvalidUri, StorageMisconfigured } from '../errors.ts'
import type { HdfsSettings } from '../filesystem-options.ts'
import { defaultAuthorityIn, nameNodesIn, readHadoopConfiguration } from './hadoop-configuration.ts'
import { HdfsFileSystem } from './hdfs-file-system.ts'
import { HttpExchange } from './http-exchange.ts'
import { WebHdfsClient } from './web-hdfs-client.ts'

/** Of NameNodes, where nobody says otherwise. */
const HTTP_PORT = 9870

/** The file system of the clusters that `hdfs:` or `webhdfs:` URIs name. */
export function createHdfsFileSystem(options: {
  readonly scheme: string
  readonly settings: HdfsSettings
}): FileSystem {
  const { scheme, settings } = options
  const { addresses, connectTimeoutMs, timeoutMs, connections, attempts } = settings
  for (const address of addresses) {
    if (!/^https?:\/\/[^/]+$/i.test(address)) {
      const reason = 'hdfs.webhdfs.addresses is to name NameNodes such as http://namenode:9870'
      throw InvalidUri({ uri: address, reason })
    }
  }
  const properties = readHadoopConfiguration(settings.hadoopConfigurationDir)
  const http = new HttpExchange({ connectTimeoutMs, timeoutMs, connections })
  const identity: Record<string, string> =
    settings.delegationToken === ''
      ? { 'user.name': settings.user || process.env['HADOOP_USER_NAME'] || userInfo().username }
      : { delegation: settings.delegationToken }
  const clients = new Map<string, WebHdfsClient>()
  const clientFor = (given: string, uri: string): WebHdfsClient => {
    const authority = given || defaultAuthorityIn(properties)
    let client = clients.get(authority)
    if (client === undefined) {
      const nameNodes = nameNodesOf(scheme, authority, addresses, properties)
      if (nameNodes.length === 0) {
        throw StorageMisconfigured({
          uri,
          operation: 'reach',
          reason: authority === '' ? 'it names no NameNode' : `no address of '${authority}' is known`,
          remedy:
            "Give the NameNodes' HTTP addresses by hdfs.webhdfs.addresses, or Hadoop's configuration by " +
            'HADOOP_CONF_DIR or fs.hdfs.hadoopconf.',
        })
      }
      client = new WebHdfsClient({ nameNodes, identity, attempts }, { http })
      clients.set(authority, client)
    }
    return client
  }
  return new HdfsFileSystem({ scheme }, { clientFor })
}

function nameNodesOf(
  scheme: string,
  authority: string,
  addresses: readonly string[],
  properties: ReadonlyMap<string, string>,
): readonly string[] {
  if (scheme !== 'hdfs' && authority !== '') {
    return [`${scheme === 'swebhdfs' ? 'https' : 'http'}://${authority}`]
  }
  if (addresses.length > 0) return addresses
  const configured = nameNodesIn(properties, authority)
  if (configured.length > 0 || authority === '') return configured
  // The name of a service has neither dots nor a port, as a rule; a host does not need them either.
  return /[.:]/.test(authority) ? [`http://${authority.replace(/:\d+$/, '')}:${HTTP_PORT}`] : []
}
