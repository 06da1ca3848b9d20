import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Properties of `core-site.xml` and `hdfs-site.xml` in a folder, later ones over earlier ones; none if there is no folder. */
export function readHadoopConfiguration(folder: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  if (folder === '') return properties
  for (const file of ['core-site.xml', 'hdfs-site.xml']) {
    let xml: string
    try {
      xml = readFileSync(join(folder, file), 'utf8')
    } catch (error) {
      // One of both may do.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw error
    }
    for (const [, body = ''] of xml.replace(/<!--.*?-->/gs, '').matchAll(/<property>(.*?)<\/property>/gs)) {
      const name = textOf(body, 'name')
      const value = textOf(body, 'value')
      if (name !== undefined && value !== undefined) properties.set(name, value)
    }
  }
  return properties
}

function textOf(xml: string, tag: string): string | undefined {
  const text = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(xml)?.[1]?.trim()
  return text
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
}

/** Addresses of the NameNodes, as WebHDFS has them, of an authority of `hdfs:` URIs; none: not known. */
export function nameNodesIn(properties: ReadonlyMap<string, string>, authority: string): readonly string[] {
  const secure = properties.get('dfs.http.policy') === 'HTTPS_ONLY'
  const address = (suffix: string): readonly string[] => {
    const found = properties.get(`dfs.namenode.${secure ? 'https' : 'http'}-address${suffix}`)
    return found === undefined ? [] : [`${secure ? 'https' : 'http'}://${found}`]
  }
  const nodes = properties.get(`dfs.ha.namenodes.${authority}`)
  if (nodes !== undefined) return nodes.split(',').flatMap(node => address(`.${authority}.${node.trim()}`))
  const rpc = properties.get('dfs.namenode.rpc-address') ?? authorityOf(properties.get('fs.defaultFS') ?? '')
  return rpc === authority ? address('') : []
}

/** The authority of `hdfs:///path`: that of `fs.defaultFS`. Empty: not known. */
export function defaultAuthorityIn(properties: ReadonlyMap<string, string>): string {
  return authorityOf(properties.get('fs.defaultFS') ?? '')
}

function authorityOf(uri: string): string {
  return /^hdfs:\/\/([^/]*)/i.exec(uri)?.[1] ?? ''
}
