import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, it } from 'vitest'

const FOLDER = 'packages/web/dist/page'
const MAX_FIRST_VIEW_BYTES = 100 * 1024
const read = (path: string): Buffer => readFileSync(`${FOLDER}/${path}`)

beforeAll(() => {
  execFileSync(process.execPath, ['tools/build-web.mjs'])
})

it('what the first view loads is below 100 KB compressed', () => {
  const index = String(read('index.html'))
  const needed = [...index.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path = '']) => path)
  expect(needed.length).toBeGreaterThan(2)
  const sizes = ['index.html', ...needed].map(path => gzipSync(read(path)).length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_FIRST_VIEW_BYTES)
})

it('all of it together would be, too', () => {
  const files = readdirSync(`${FOLDER}/assets`).map(name => gzipSync(read(`assets/${name}`)).length)
  expect(files.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_FIRST_VIEW_BYTES)
})

it('nothing in it is asked of another host, and nothing is inline, which the policy of the page forbids', () => {
  const index = String(read('index.html'))
  expect(index).not.toMatch(/(?:src|href)="(?!\.\/)/)
  expect(index).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/)
  for (const name of readdirSync(`${FOLDER}/assets`).filter(path => path.endsWith('.css')))
    expect(String(read(`assets/${name}`))).not.toMatch(/@import|url\(["']?(?:https?:)?\/\//)
})
