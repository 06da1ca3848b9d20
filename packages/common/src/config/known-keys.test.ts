import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Configuration } from './configuration.ts'
import { checkKeys, explainKey, knownOptions, nearest } from './known-keys.ts'

const flinkKeys = readFileSync(new URL('../../data/flink-keys.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(line => line.split('\t') as [string, string, string, string])

describe('explainKey', () => {
  it('knows every key of Flink, by all of its names: an option, or a reason', () => {
    expect(flinkKeys.length).toBeGreaterThan(1100)
    for (const [key, older] of flinkKeys) {
      for (const name of [key, ...older.split(' ').filter(Boolean)]) {
        const concrete = name.replace(/<[^>]*>/g, 'mine')
        const explanation = explainKey(concrete)
        expect(explanation.kind, concrete).not.toBe('unknown')
        if (explanation.kind === 'without-effect') expect(explanation.reason, concrete).toMatch(/\w/)
      }
    }
  })

  it('knows every option of this version, and by which older name it was meant', () => {
    expect(knownOptions().length).toBeGreaterThan(50)
    expect(explainKey('rest.port')).toMatchObject({
      kind: 'option',
      byOlderName: false,
      option: { defaultValue: '8081', expected: expect.stringContaining('65535') },
    })
    expect(explainKey('state.checkpoints.dir')).toMatchObject({
      kind: 'option',
      byOlderName: true,
      option: { key: 'execution.checkpointing.dir' },
    })
  })

  it.each([
    ['akka.log.lifecycle.events', 'gRPC'],
    ['taskmanager.network.segment-size', 'taskmanager.memory.task.heap.size'],
    ['env.java.home', 'Java'],
    ['yarn.application.name', 'YARN'],
    ['table.exec.state.ttl', 'SQL'],
    ['metrics.reporter.influx.factory.class', 'reporter'],
    ['metrics.reporter.influx.some.own.setting', 'reporter'],
    ['s3.entropy.length', 'file system'],
    ['fs.s3a.connection.maximum', 'file system'],
  ])('says why %s has no effect', (key, text) => {
    expect(explainKey(key)).toMatchObject({ kind: 'without-effect', reason: expect.stringContaining(text) })
  })

  it.each([
    ['hobmanager.rpc.address', 'jobmanager.rpc.address'],
    ['jobmanger.rpc.address', 'jobmanager.rpc.address'],
    ['taskmanager.numberofTaskSlots', 'taskmanager.numberOfTaskSlots'],
    ['taskmanager.numberOfTaskSlot', 'taskmanager.numberOfTaskSlots'],
    ['paralelism.default', 'parallelism.default'],
    ['rest.prot', 'rest.port'],
    ['execution.checkpoint.interval', 'execution.checkpointing.interval'],
    ['restart-stategy.fixed-delay.attempts', 'restart-strategy.fixed-delay.attempts'],
    ['my.own.setting', undefined],
  ])('for %s it proposes %s', (key, expected) => {
    expect(explainKey(key)).toEqual({ kind: 'unknown', nearest: expected })
  })
})

describe('checkKeys', () => {
  it('names key, place and remedy, in order, and nothing that is right', () => {
    const configuration = Configuration.of(
      { 'rest.port': '1', 'akka.log.lifecycle.events': 'true', 'hobmanager.rpc.address': 'x' },
      '/conf/flink-conf.yaml',
    ).with(Configuration.of({ 'state.checkpoints.dir': 'file:///x', 'my.own': '1' }, '-D'))
    expect(checkKeys(configuration)).toEqual([
      {
        key: 'akka.log.lifecycle.events',
        kind: 'without-effect',
        message:
          'akka.log.lifecycle.events (/conf/flink-conf.yaml) has no effect: the processes talk gRPC, not through an actor system.',
      },
      {
        key: 'hobmanager.rpc.address',
        kind: 'unknown',
        message:
          'hobmanager.rpc.address (/conf/flink-conf.yaml) is no known key: did you mean jobmanager.rpc.address?',
      },
      {
        key: 'state.checkpoints.dir',
        kind: 'older-name',
        message: 'state.checkpoints.dir (-D) is an older name: write execution.checkpointing.dir.',
      },
      { key: 'my.own', kind: 'unknown', message: 'my.own (-D) is no known key: remove it.' },
    ])
  })
})

describe('nearest', () => {
  const words = ['jobmanager.rpc.address', 'taskmanager.numberOfTaskSlots', 'parallelism.default']

  it('finds a word again after one mistake of any kind', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...words),
        fc.nat(),
        fc.constantFrom('insert', 'remove', 'replace', 'swap'),
        (word, place, mistake) => {
          const at = place % (word.length - 1)
          const [before, here, next, after] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)]
          const wrong = {
            insert: `${before}#${here}${next}${after}`,
            remove: `${before}${next}${after}`,
            replace: `${before}#${next}${after}`,
            swap: `${before}${next}${here}${after}`,
          }[mistake]
          expect(nearest(wrong, words)).toBe(word)
        },
      ),
    )
  })

  it('finds nothing for what resembles no word', () => {
    expect(nearest('completely different', words)).toBeUndefined()
  })
})
