import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileSystem } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkHosts } from './check-hosts.ts'
import { checkStorage } from './check-storage.ts'

let dir: string
const path = process.env['PATH']
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'check-hosts-'))
})
afterEach(() => {
  process.env['PATH'] = path
  rmSync(dir, { recursive: true, force: true })
})

test('hosts are asked by ssh: password, installation and clock; this one is not', async () => {
  // Stands in for ssh: the last but one argument is the host.
  writeFileSync(
    join(dir, 'ssh'),
    `#!/bin/sh
case "$*" in
  "-n -p 2222 -o BatchMode=yes -o ConnectTimeout=5 node1 "*) date +%s; echo installed ;;
  *" node2 "*) echo $(($(date +%s) - 60)); echo installed ;;
  *" node3 "*) date +%s; exit 1 ;;
  *) echo "user@$6: Permission denied (publickey)." >&2; exit 255 ;;
esac
`,
  )
  chmodSync(join(dir, 'ssh'), 0o755)
  process.env['PATH'] = `${dir}:${path}`
  writeFileSync(join(dir, 'masters'), 'node1:8081\n')
  writeFileSync(join(dir, 'workers'), 'localhost\nnode1\nnode2 # slow\n\nnode3\nnode4\n')
  const hosts = { configurationDir: dir, home: '/opt/flink-ts', sshOptions: '-p 2222' }
  expect(await checkHosts(hosts)).toMatchObject([
    { level: 'ok', about: 'host node1' },
    {
      level: 'warning',
      about: 'host node2',
      text: expect.stringMatching(/^Its clock is (59|60|61)\.\d s behind/),
    },
    { level: 'problem', about: 'host node3', text: '/opt/flink-ts/bin/taskmanager.sh is not there.' },
    {
      level: 'problem',
      about: 'host node4',
      text: expect.stringContaining('Permission denied (publickey).'),
      remedy: expect.stringContaining('Try: ssh -p 2222 node4 true'),
    },
  ])
})

test('storage elsewhere is tried with a file, which does not stay', async () => {
  const calls: string[] = []
  const fileSystem = {
    writeFile: async (uri: string) => void calls.push(`write ${uri.replace(/[0-9a-f-]{36}$/, '*')}`),
    delete: async (uri: string) => void calls.push(`delete ${uri.replace(/[0-9a-f-]{36}$/, '*')}`),
  } as unknown as FileSystem
  expect(await checkStorage('checkpoints', 's3://b/cp/', 'key', () => fileSystem)).toMatchObject({
    level: 'ok',
  })
  expect(calls).toEqual(['write s3://b/cp/.flink-doctor-*', 'delete s3://b/cp/.flink-doctor-*'])
  const refused = () => {
    throw new Error('AccessDenied')
  }
  expect(await checkStorage('checkpoints', 's3://b/cp', 'the.key', refused)).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('AccessDenied'),
    remedy: expect.stringContaining('the.key'),
  })
})
