import { Configuration, type Logger } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { logConfiguration } from './process-start.ts'

test('the log begins with the configuration, secrets masked, and with what to change about its keys', () => {
  const lines: (readonly [string, Readonly<Record<string, unknown>>, string])[] = []
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, fields, message])
  const logger: Logger = {
    error: note('error'),
    warn: note('warn'),
    info: note('info'),
    debug: note('debug'),
    child: () => logger,
  }
  const values = {
    'rest.port': '8081',
    's3.secret-key': 'hush',
    'security.ssl.internal.keystore-password': 'hush',
    'security.auth.token-file': '/etc/token',
    'hobmanager.rpc.address': 'x',
  }
  logConfiguration(Configuration.of(values, '/conf/flink-conf.yaml'), logger)
  expect(JSON.stringify(lines)).not.toContain('hush')
  expect(lines[0]).toMatchObject([
    'info',
    { configuration: { 'rest.port': '8081', 's3.secret-key': '******' } },
    'Process starts',
  ])
  const warnings = lines.filter(([level]) => level === 'warn').map(([, fields]) => fields)
  expect(warnings.find(fields => fields['key'] === 'hobmanager.rpc.address')).toMatchObject({
    kind: 'unknown',
    remedy: expect.stringContaining('did you mean jobmanager.rpc.address?'),
  })
})
