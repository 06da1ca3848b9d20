import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BundleFolder } from './bundle-folder.ts'
import { createBundle } from './create-bundle.ts'

let dir: string
let bundle: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bundle-folder-'))
  writeFileSync(join(dir, 'job.ts'), 'export const x = 1\n')
  bundle = join(dir, 'job.tgz')
  await createBundle({ entry: join(dir, 'job.ts'), outFile: bundle })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('bundles are fetched once and kept while they are used, and the latest four beyond that', async () => {
  const directory = join(dir, 'bundles')
  const folder = new BundleFolder({ directory })
  const fetched: string[] = []
  const use = (job: string, key: string) =>
    folder.use(job, key, async file => {
      fetched.push(key)
      cpSync(bundle, file)
    })
  const keys = Array.from({ length: 7 }, (_, i) => `key${i}`)
  const urls = await Promise.all([...keys.map(key => use(`job of ${key}`, key)), use('other', 'key0')])
  expect(fetched).toEqual(keys)
  expect(urls[7]).toBe(urls[0])
  for (const key of keys) await folder.release(`job of ${key}`)
  // key0 is used, of the others the last four are kept.
  expect(
    readdirSync(directory)
      .map(name => name.slice(0, 4))
      .sort(),
  ).toEqual(['key0', 'key3', 'key4', 'key5', 'key6'])
  await use('again', 'key6')
  expect(fetched).toHaveLength(7)
  const anew = await use('again', 'key1')
  expect(fetched.at(-1)).toBe('key1')
  expect(existsSync(new URL(anew))).toBe(true)
})

test('one that could not be fetched is fetched again, and leaves nothing', async () => {
  const directory = join(dir, 'failing')
  const folder = new BundleFolder({ directory })
  const fail = async (): Promise<void> => {
    throw new Error('no connection')
  }
  await expect(folder.use('a', 'key', fail)).rejects.toThrow('no connection')
  await folder.use('a', 'key', async file => cpSync(bundle, file))
  expect(readdirSync(directory)).toHaveLength(1)
})
