import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import { parse } from 'yaml'

type Schema = Record<string, unknown>

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

/**
 * Where the description says something else than real clusters answer (their Java classes, the page and the client of
 * Flink agree on that).
 */
const WIRE: Readonly<Record<string, Schema>> = {
  // Texts of 32 hex characters, or in base64, that are described as objects.
  SlotSharingGroupId: { type: 'string' },
  SerializedValueOptionalFailureObject: { type: 'string' },
  ResourceID: { type: 'string' },
  ProcessingMode: { enum: ['exactly_once', 'at_least_once'] },
  // It has one of three shapes of optional fields, which all fit each other.
  AsynchronousOperationResult: {
    type: 'object',
    required: ['status'],
    properties: { status: { $ref: '#/components/schemas/QueueStatus' }, operation: { type: 'object' } },
  },
  // Null where there is none.
  LatestCheckpoints: {
    type: 'object',
    properties: {
      completed: orNull('CompletedCheckpointStatistics'),
      savepoint: orNull('CompletedCheckpointStatistics'),
      failed: orNull('FailedCheckpointStatistics'),
      restored: orNull('RestoredCheckpointStatistics'),
    },
  },
  AggregatedMetricsResponseBody: metricList(['id'], {
    ...{ min: { type: 'number' }, max: { type: 'number' }, avg: { type: 'number' } },
    ...{ sum: { type: 'number' }, skew: { type: 'number' } },
  }),
  MetricCollectionResponseBody: metricList(['id'], { value: { type: 'string' } }),
}

function orNull(name: string): Schema {
  return { anyOf: [{ $ref: `#/components/schemas/${name}` }, { type: 'null' }] }
}

function metricList(required: readonly string[], properties: Schema): Schema {
  return {
    type: 'array',
    items: { type: 'object', required, properties: { id: { type: 'string' }, ...properties } },
  }
}

/** Flink's description of its REST API, as a judge of answers. Fields that it does not know are allowed, as in Flink. */
export class FlinkSchema {
  readonly #description: Description
  readonly #ajv = new Ajv({ strict: false, allErrors: true, discriminator: false })
  readonly #validators = new Map<string, ValidateFunction | undefined>()

  constructor(file: URL) {
    const description = parse(readFileSync(file, 'utf8')) as Description
    this.#description = description
    for (const format of ['int32', 'int64', 'double', 'float', 'binary', 'byte'])
      this.#ajv.addFormat(format, true)
    this.#ajv.addSchema({
      $id: 'flink',
      components: { schemas: { ...description.components.schemas, ...WIRE } },
    })
  }

  /** `GET /jobs/{jobid}` of all operations, in order of the description. */
  get operations(): readonly string[] {
    return Object.entries(this.#description.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
    )
  }

  /** What is wrong with an answer; empty: nothing. */
  problems(operation: string, status: number, body: unknown): readonly string[] {
    const [method = '', path = ''] = operation.split(' ')
    const described = this.#description.paths[path]?.[method.toLowerCase()]
    if (described === undefined) return [`${operation} is not described`]
    const response = described.responses[String(status)]
    if (response === undefined) return [`${operation} answered ${status}`]
    const schema = Object.values(response.content ?? {})[0]?.schema
    if (schema === undefined) return []
    let validate = this.#validators.get(operation)
    if (validate === undefined) {
      validate = this.#ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"flink#/')) as Schema)
      this.#validators.set(operation, validate)
    }
    if (validate(body)) return []
    return (validate.errors ?? []).map(error => `${operation}${error.instancePath} ${error.message}`)
  }
}
