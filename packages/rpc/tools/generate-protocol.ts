// Writes packages/rpc/src/gen/*.ts from proto/*.proto: types, encoders and decoders over protobufjs/minimal, and the
// methods of the services. So starting a process neither reads nor parses schemas.
// Run: node packages/rpc/tools/generate-protocol.ts
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const NAMES = ['session', 'blob'] as const
// Messages that the package's own code names; the others are seen as parts of these.
const EXPORTED = new Set([
  'Envelope',
  'Hello',
  'Welcome',
  'Call',
  'Reply',
  'BlobKey',
  'BlobPart',
  'BlobStatus',
])
const SCALARS: Readonly<Record<string, { type: string; empty: string; read: string }>> = {
  uint32: { type: 'number', empty: '0', read: 'reader.uint32()' },
  uint64: { type: 'number', empty: '0', read: 'toNumber(reader.uint64())' },
  bool: { type: 'boolean', empty: 'false', read: 'reader.bool()' },
  string: { type: 'string', empty: "''", read: 'reader.string()' },
  bytes: { type: 'Uint8Array', empty: 'new Uint8Array(0)', read: 'reader.bytes()' },
}
const WIRE_TYPE: Readonly<Record<string, number>> = { uint32: 0, uint64: 0, bool: 0 }

const schemaUrl = (name: string): URL => new URL(`../../../proto/${name}.proto`, import.meta.url)
const targetUrl = (name: string): URL => new URL(`../src/gen/${name}.ts`, import.meta.url)

/** The generated modules: for each the file it belongs into and its text. */
export function generateProtocol(): { readonly file: string; readonly text: string }[] {
  return NAMES.map(name => ({
    file: fileURLToPath(targetUrl(name)),
    text: formatted(moduleText(name, readFileSync(schemaUrl(name), 'utf8'))),
  }))
}

function formatted(text: string): string {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
  const run = spawnSync(process.execPath, [biome, 'format', '--stdin-file-path=gen.ts'], {
    input: text,
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
  })
  if (run.status !== 0) throw new Error(`biome format failed: ${run.stderr}`)
  return run.stdout
}

function moduleText(name: string, schema: string): string {
  const { root, package: packageName } = protobuf.parse(schema, { keepCase: false })
  const namespace = root.lookup(packageName as string) as protobuf.Namespace
  const messages = namespace.nestedArray.filter(entry => entry instanceof protobuf.Type)
  const services = namespace.nestedArray.filter(entry => entry instanceof protobuf.Service)
  const body = [...messages.map(messageText), ...services.map(s => serviceText(packageName as string, s))]
  const helper = schema.includes('uint64')
    ? [
        `function toNumber(value: unknown): number {
  return typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber()
}`,
      ]
    : []
  const parts = [
    `// Generated from proto/${name}.proto by packages/rpc/tools/generate-protocol.ts: change those.`,
    "import type { Reader, Writer } from 'protobufjs/minimal.js'\nimport protobuf from 'protobufjs/minimal.js'",
    ...helper,
    ...body,
  ]
  return `${parts.join('\n\n')}\n`
}

function messageText(message: protobuf.Type): string {
  const { name } = message
  const visibility = EXPORTED.has(name) ? 'export ' : ''
  for (const field of message.fieldsArray) field.resolve()
  const plain = message.fieldsArray.filter(field => field.partOf === null)
  const oneofs = message.oneofsArray
  const empty = plain.length + oneofs.length === 0
  const members = [
    ...plain.map(field => `  ${field.name}: ${typeOf(field)}\n`),
    ...oneofs.map(
      oneof =>
        `  ${oneof.name}:\n${oneof.fieldsArray.map(f => `    | { case: '${f.name}'; value: ${typeOf(f)} }\n`).join('')}    | undefined\n`,
    ),
  ]
  const initial = [...plain.map(f => `${f.name}: ${emptyOf(f)}`), ...oneofs.map(o => `${o.name}: undefined`)]
  return [
    empty
      ? `${visibility}type ${name} = Record<never, never>`
      : `${visibility}interface ${name} {\n${members.join('')}}`,
    `function write${name}(${empty ? '_message' : 'message'}: ${name}, writer: Writer = protobuf.Writer.create()): Writer {\n` +
      plain.map(f => `  ${guardOf(f)}${writeOf(f, `message.${f.name}`)}\n`).join('') +
      oneofs.map(o => oneofWriter(o)).join('') +
      '  return writer\n}',
    `function read${name}(source: Reader | Uint8Array, length?: number): ${name} {\n` +
      '  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)\n' +
      '  const end = length === undefined ? reader.len : reader.pos + length\n' +
      `  const message: ${name} = { ${initial.join(', ')} }\n`.replace('{  }', '{}') +
      '  while (reader.pos < end) {\n    const tag = reader.uint32()\n    switch (tag) {\n' +
      message.fieldsArray
        .map(f => `      case ${tagOf(f)}:\n        message.${readOf(f)}\n        break\n`)
        .join('') +
      '      default:\n        reader.skipType(tag & 7)\n    }\n  }\n  return message\n}',
  ].join('\n\n')
}

function serviceText(packageName: string, service: protobuf.Service): string {
  const methods = service.methodsArray.map(method => {
    const fields = [
      `path: '/${packageName}.${service.name}/${method.name}'`,
      `requestStream: ${method.requestStream === true}`,
      `responseStream: ${method.responseStream === true}`,
      `requestSerialize: (message: ${method.requestType}): Buffer => write${method.requestType}(message).finish() as Buffer`,
      `requestDeserialize: (bytes: Buffer): ${method.requestType} => read${method.requestType}(bytes)`,
      `responseSerialize: (message: ${method.responseType}): Buffer => write${method.responseType}(message).finish() as Buffer`,
      `responseDeserialize: (bytes: Buffer): ${method.responseType} => read${method.responseType}(bytes)`,
    ]
    return `  ${method.name[0]?.toLowerCase()}${method.name.slice(1)}: {\n${fields.map(f => `    ${f},\n`).join('')}  },\n`
  })
  const constant = `${service.name[0]?.toLowerCase()}${service.name.slice(1)}Service`
  return `export const ${constant} = {\n${methods.join('')}} as const`
}

function typeOf(field: protobuf.Field): string {
  return SCALARS[field.type]?.type ?? field.type
}

function emptyOf(field: protobuf.Field): string {
  const scalar = SCALARS[field.type]
  if (scalar === undefined)
    throw new Error(`${field.fullName}: message fields are supported inside oneof only`)
  if (field.repeated) throw new Error(`${field.fullName}: repeated fields are not supported`)
  return scalar.empty
}

function tagOf(field: protobuf.Field): number {
  return (field.id << 3) | (WIRE_TYPE[field.type] ?? 2)
}

function guardOf(field: protobuf.Field): string {
  if (field.type === 'bool') return `if (message.${field.name}) `
  if (field.type === 'bytes') return `if (message.${field.name}.length > 0) `
  return `if (message.${field.name} !== ${SCALARS[field.type]?.empty}) `
}

function writeOf(field: protobuf.Field, value: string): string {
  return field.type in SCALARS
    ? `writer.uint32(${tagOf(field)}).${field.type}(${value})`
    : `write${field.type}(${value}, writer.uint32(${tagOf(field)}).fork()).ldelim()`
}

function oneofWriter(oneof: protobuf.OneOf): string {
  const cases = oneof.fieldsArray.map(
    f => `    case '${f.name}':\n      ${writeOf(f, `message.${oneof.name}.value`)}\n      break\n`,
  )
  return `  switch (message.${oneof.name}?.case) {\n${cases.join('')}    default:\n  }\n`
}

function readOf(field: protobuf.Field): string {
  const value = SCALARS[field.type]?.read ?? `read${field.type}(reader, reader.uint32())`
  const oneof = field.partOf
  return oneof === null
    ? `${field.name} = ${value}`
    : `${oneof.name} = { case: '${field.name}', value: ${value} }`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { file, text } of generateProtocol()) writeFileSync(file, text)
}
