import { Ajv } from 'ajv'

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly responses: Readonly<
              Record<string, { readonly content: Record<string, { schema: object }> }>
            >
          }
        >
      >
    >
  >
}

/** Compares answers with an OpenAPI document of this API itself. */
export class OpenApiSchema {
  readonly #document: Document
  readonly #ajv = new Ajv({ strict: false, allErrors: true })

  constructor(document: unknown) {
    this.#document = document as Document
  }

  /** `GET /v2/jobs` of all operations. */
  get operations(): readonly string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    )
  }

  /** What is wrong with an answer; empty: nothing. */
  problems(operation: string, status: number, body: unknown): readonly string[] {
    const [method = '', path = ''] = operation.split(' ')
    const responses = this.#document.paths[path]?.[method.toLowerCase()]?.responses
    const response = responses?.[status] ?? (status >= 400 ? responses?.['default'] : undefined)
    if (response === undefined) return [`${operation} answers ${status}, which is not described`]
    const check = this.#ajv.compile(response.content['application/json']?.schema as object)
    return check(body)
      ? []
      : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}
