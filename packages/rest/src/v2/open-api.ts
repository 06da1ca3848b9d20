import type { Schema, V2Route } from './v2-route.ts'

const ERRORS: Schema = {
  type: 'object',
  required: ['errors'],
  properties: { errors: { type: 'array', items: { type: 'string' } } },
}

/** Describes the routes as OpenAPI 3.1. */
export function openApiOf(routes: readonly V2Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = `/v2${route.path.replaceAll(/:(\w+)/g, '{$1}')}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'flink-ts', version, description: 'The second version of the REST API.' },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    // Where the cluster demands a token.
    security: [{}, { token: [] }],
  }
}

function operationOf({ method, path, summary, query = {}, body, status = 200, answer }: V2Route): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }))
  const inQuery = Object.entries(query).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', required: false, schema },
    ...(description !== undefined && { description }),
  }))
  const words = path.split('/').map(part => part.replace(/^:/, 'by-'))
  return {
    operationId: [method.toLowerCase(), ...words].filter(part => part !== '').join('-'),
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body !== undefined && { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: {
      [status]: { description: 'Done as asked.', content: { 'application/json': { schema: answer } } },
      default: {
        description: 'What is wrong, and what to change.',
        content: { 'application/json': { schema: ERRORS } },
      },
    },
  }
}
