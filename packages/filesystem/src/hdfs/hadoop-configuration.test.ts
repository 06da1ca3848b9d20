import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultAuthorityIn, nameNodesIn, readHadoopConfiguration } from './hadoop-configuration.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-hadoop-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const property = (name: string, value: string): string =>
  `<property>\n  <name>${name}</name>\n  <value> ${value} </value><final>true</final></property>`

test('addresses of a service with several NameNodes, by HTTP and HTTPS', () => {
  const site = [
    property('dfs.nameservices', 'prod'),
    property('dfs.ha.namenodes.prod', 'nn1, nn2'),
    property('dfs.namenode.http-address.prod.nn1', 'one:9870'),
    property('dfs.namenode.http-address.prod.nn2', 'two:9870'),
    property('dfs.namenode.https-address.prod.nn1', 'one:9871'),
    `<!-- ${property('dfs.http.policy', 'HTTPS_ONLY')} -->`,
    property('note', '&lt;a&gt; &amp;amp;'),
  ]
  writeFileSync(
    join(folder, 'core-site.xml'),
    `<configuration>${property('fs.defaultFS', 'hdfs://prod')}</configuration>`,
  )
  writeFileSync(join(folder, 'hdfs-site.xml'), `<configuration>${site.join('\n')}</configuration>`)
  const properties = readHadoopConfiguration(folder)
  expect(nameNodesIn(properties, 'prod')).toEqual(['http://one:9870', 'http://two:9870'])
  expect(defaultAuthorityIn(properties)).toBe('prod')
  expect(properties.get('note')).toBe('<a> &amp;')
  expect(nameNodesIn(properties, 'other')).toEqual([])
  expect(nameNodesIn(new Map([...properties, ['dfs.http.policy', 'HTTPS_ONLY']]), 'prod')).toEqual([
    'https://one:9871',
  ])
})

test('one NameNode is known by its RPC address; without a configuration nothing is', () => {
  const properties = new Map([
    ['fs.defaultFS', 'hdfs://one:8020/'],
    ['dfs.namenode.http-address', 'one:9870'],
  ])
  expect(nameNodesIn(properties, 'one:8020')).toEqual(['http://one:9870'])
  expect(nameNodesIn(properties, 'two:8020')).toEqual([])
  expect(readHadoopConfiguration('').size).toBe(0)
  expect(readHadoopConfiguration(join(folder, 'none')).size).toBe(0)
})
