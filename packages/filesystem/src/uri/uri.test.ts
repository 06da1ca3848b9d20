import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidPathPart, InvalidUri } from '../errors.ts'
import { joinUri, schemeOf, toUri, uriToPath } from './uri.ts'

describe('toUri', () => {
  test.each([
    ['/a/b', 'file:///a/b'],
    ['/a/b/', 'file:///a/b'],
    ['b/../c', 'file:///base/c'],
    ['.', 'file:///base'],
    ['/', 'file:///'],
    ['/a b#c?d%e', 'file:///a%20b%23c%3Fd%25e'],
    ['file:/a/b', 'file:///a/b'],
    ['file:///a/b/', 'file:///a/b'],
    ['file:///a b', 'file:///a%20b'],
    ['FILE:///a', 'file:///a'],
    ['10:30.csv', 'file:///base/10:30.csv'],
    ['s3://bucket/a/', 's3://bucket/a'],
    ['s3://bucket', 's3://bucket'],
    ['hdfs://host:8020/a', 'hdfs://host:8020/a'],
  ])('%s', (text, uri) => {
    expect(toUri(text, '/base')).toBe(uri)
  })

  test.each(['', 'file:relative', 'file://tmp/x', 'file:///a#b', 'file:///a?b', 'a\0b', 'file:///%zz%2F'])(
    'refuses %j',
    text => {
      expect(() => toUri(text)).toThrow(expect.objectContaining({ code: InvalidUri.code }))
    },
  )

  test('any path comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1 }), parts => {
        fc.pre(parts.every(p => !/[/\\\0]/.test(p) && p !== '.' && p !== '..' && p.isWellFormed()))
        const path = `/${parts.join('/')}`
        expect(uriToPath(toUri(path))).toBe(path)
        expect(joinUri('file:///', ...parts)).toBe(toUri(path))
      }),
    )
  })
})

test('joinUri refuses parts that lead elsewhere', () => {
  for (const part of ['', '.', '..', 'a/b', '/', 'a\\b', '\0', '\ud800']) {
    expect(() => joinUri('file:///a', part)).toThrow(expect.objectContaining({ code: InvalidPathPart.code }))
  }
  expect(joinUri('file:///a/', 'b', '%2e%2e')).toBe('file:///a/b/%252e%252e')
  expect(joinUri('s3://bucket', 'b c')).toBe('s3://bucket/b%20c')
})

test('schemeOf', () => {
  expect(schemeOf('HDFS://x')).toBe('hdfs')
  expect(schemeOf('C:\\x')).toBeUndefined()
  expect(schemeOf('/x')).toBeUndefined()
})

test('uriToPath takes file URIs only', () => {
  expect(() => uriToPath('s3://a/b')).toThrow(expect.objectContaining({ code: InvalidUri.code }))
})
