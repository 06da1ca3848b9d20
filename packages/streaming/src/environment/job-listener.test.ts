import { describe, expect, test, vi } from 'vitest'
import { planned } from '../graph/fake-context.ts'
import { StreamExecutionEnvironment } from './stream-execution-environment.ts'

describe('job listeners', () => {
  test('are told of submissions and results, once', () =>
    planned(async env => {
      const calls: unknown[] = []
      env.registerJobListener({
        onJobSubmitted: (client, error) => calls.push(['submitted', typeof client?.jobId, error]),
        onJobExecuted: (result, error) => calls.push(['executed', result?.jobName, error]),
      })
      env.fromElements(1).print()
      const client = await env.executeAsync('first')
      expect(calls).toEqual([['submitted', 'string', undefined]])
      expect([await client.result(), await client.result()].map(({ jobName }) => jobName)).toEqual([
        'first',
        'first',
      ])
      expect(await client.status()).toBe('FINISHED')
      env.clearJobListeners()
      env.fromElements(1).print()
      await env.execute('second')
      expect(calls.slice(1)).toEqual([['executed', 'first', undefined]])
    }))

  test('hear of failures; what they throw is a warning', () =>
    planned(
      async env => {
        const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
        const errors: unknown[] = []
        env.registerJobListener({
          onJobSubmitted: (() => Promise.reject(new Error('in a promise of a listener'))) as () => void,
        })
        env.registerJobListener({
          onJobSubmitted: () => {
            throw new Error('in a listener')
          },
          onJobExecuted: (_result, error) => errors.push(error),
        })
        env.fromElements(1).print()
        await expect(env.execute('fails')).rejects.toThrow('no result')
        expect(errors).toEqual([expect.objectContaining({ message: 'no result' })])
        for (const message of ['in a listener', 'in a promise of a listener']) {
          expect(warnings).toHaveBeenCalledWith(expect.objectContaining({ message }), {
            code: 'FLINK_JOB_LISTENER',
          })
        }
        warnings.mockRestore()
      },
      {
        accumulators: () => {
          throw new Error('no result')
        },
      },
    ))
})

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const record of records) list.push(record)
  return list
}

test('collectAsync gives the records of the job that is executed next', () =>
  planned(
    async env => {
      const numbers = env.fromElements(1, 2).collectAsync()
      const texts = env.fromElements('a').collectAsync()
      await env.executeAsync()
      expect(await all(numbers)).toEqual([1, 2])
      expect(await all(texts)).toEqual(['a'])
    },
    {
      accumulators: graph =>
        Object.fromEntries(
          graph.vertices
            .flatMap(vertex => vertex.operators)
            .filter(({ kind }) => kind === 'collect')
            .map(({ nodeId }, i) => [`collect-${nodeId}`, i === 0 ? [1, 2] : ['a']]),
        ),
    },
  ))

test.each([
  [[''], /name of a host/],
  [['host', 0], /port from 1/],
  [['host', 70_000], /port from 1/],
])('createRemoteEnvironment(%j) is refused', async (args, message) => {
  await planned(() => {
    const create = StreamExecutionEnvironment.createRemoteEnvironment as (...given: unknown[]) => unknown
    expect(() => create(...args)).toThrow(message)
  })
})

test('the target of an environment goes to the executor', () =>
  planned(async () => {
    const local = StreamExecutionEnvironment.createLocalEnvironment(3)
    local.fromSequence(1, 2).print()
    expect(local.getParallelism()).toBe(3)
    await local.execute()
  }).then(([submission]) => expect(submission?.target).toEqual({ type: 'local' })))

test('a local environment with the web page says at which port', async () => {
  const create = StreamExecutionEnvironment.createLocalEnvironmentWithWebUI
  const submissions = await planned(async () => {
    const configurations: readonly Record<string, string>[] = [{}, { 'rest.port': '0' }]
    for (const configuration of configurations) {
      const local = create(configuration)
      local.fromSequence(1, 2).print()
      await local.execute()
    }
    expect(() => create({ 'rest.port': '70000' })).toThrow('a port from 0 to 65535 as rest.port')
  })
  expect(submissions.map(({ target }) => target)).toEqual([
    { type: 'local', restPort: 8081 },
    { type: 'local', restPort: 0 },
  ])
})
