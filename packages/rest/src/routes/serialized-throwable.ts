import type { SerializedError } from '@flink-ts/common'
import { stackTrace } from './job-exceptions.ts'

/** Bytes of the Java Object Serialization Stream Protocol, version 5. */
const OBJECT = 0x73
const ARRAY = 0x75
const CLASS = 0x72
const END_OF_BLOCK = 0x78
const NULL = 0x70
const STRING = 0x74
const LONG_STRING = 0x7c
const SERIALIZABLE = 0x02
const SERIALIZABLE_WITH_METHOD = 0x03

/** More characters would not help, and the client holds all of them several times. */
const MOST_CHARACTERS = 100_000

/**
 * What went wrong, as answers have it. Flink's client for Java demands the error as a serialized Java object beside
 * class and stack: without it, it asks again and again and tells a null pointer in the end.
 */
export function failureCause(error: SerializedError): object {
  const name = error.code ?? error.name
  const stack = stackTrace(error)
  return {
    class: name,
    'stack-trace': stack,
    'serialized-throwable': serializedThrowable({ name, message: error.message, stack }).toString('base64'),
  }
}

/** A serialized `org.apache.flink.util.SerializedThrowable`: a name, a message and a stack, without a Java class behind. */
function serializedThrowable(error: { name: string; message: string; stack: string }): Buffer {
  return Buffer.concat([
    ...[bytes('aced0005'), of(OBJECT), CLASS_OF_THROWABLE],
    // Fields of Throwable: no cause, message, no frames (they are in the text), nothing suppressed.
    ...[
      of(NULL),
      string(error.message),
      of(ARRAY),
      CLASS_OF_FRAMES,
      bytes('00000000'),
      of(NULL, END_OF_BLOCK),
    ],
    // Its own: stack, class, and no serialized original.
    ...[string(error.stack), string(error.name), of(NULL)],
  ])
}

const CLASS_OF_FRAMES = classOf('[Ljava.lang.StackTraceElement;', '02462a3c3cfd2239', SERIALIZABLE, [])
const CLASS_OF_THROWABLE = classOf(
  'org.apache.flink.util.SerializedThrowable',
  '65169df51fa713f3',
  SERIALIZABLE,
  [
    ['fullStringifiedStackTrace', 'Ljava/lang/String;'],
    ['originalErrorClassName', 'Ljava/lang/String;'],
    ['serializedException', '[B'],
  ],
  classOf(
    'java.lang.Exception',
    'd0fd1f3e1a3b1cc4',
    SERIALIZABLE,
    [],
    classOf('java.lang.Throwable', 'd5c635273977b8cb', SERIALIZABLE_WITH_METHOD, [
      ['cause', 'Ljava/lang/Throwable;'],
      ['detailMessage', 'Ljava/lang/String;'],
      ['stackTrace', '[Ljava/lang/StackTraceElement;'],
      ['suppressedExceptions', 'Ljava/util/List;'],
    ]),
  ),
)

/** @param fields objects and arrays, in the order of their names; the first character of a type is its code */
function classOf(
  name: string,
  serialVersionUid: string,
  flags: number,
  fields: readonly (readonly [name: string, type: string])[],
  superclass: Buffer = of(NULL),
): Buffer {
  return Buffer.concat([
    ...[of(CLASS), characters(name), bytes(serialVersionUid), of(flags, 0, fields.length)],
    ...fields.flatMap(([field, type]) => [Buffer.from(type.slice(0, 1)), characters(field), string(type)]),
    ...[of(END_OF_BLOCK), superclass],
  ])
}

function string(text: string): Buffer {
  const content = modifiedUtf8(text.slice(0, MOST_CHARACTERS))
  if (content.length <= 0xffff) return Buffer.concat([of(STRING), sized(content)])
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(content.length))
  return Buffer.concat([of(LONG_STRING), length, content])
}

function characters(text: string): Buffer {
  return sized(modifiedUtf8(text))
}

function sized(content: Buffer): Buffer {
  return Buffer.concat([of(content.length >> 8, content.length & 0xff), content])
}

/** As Java writes it: each UTF-16 unit by itself, zero in two bytes. */
function modifiedUtf8(text: string): Buffer {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
  return Buffer.from(
    units.flatMap(unit => {
      if (unit > 0 && unit < 0x80) return [unit]
      if (unit < 0x800) return [0xc0 | (unit >> 6), 0x80 | (unit & 0x3f)]
      return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
    }),
  )
}

function of(...values: readonly number[]): Buffer {
  return Buffer.from(values)
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
