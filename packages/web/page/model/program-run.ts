/** How a program is to be run, as it was typed. */
export interface RunForm {
  readonly args: string
  readonly parallelism: string
  readonly savepointPath: string
  readonly allowNonRestoredState: boolean
}

export const EMPTY_FORM: RunForm = {
  args: '',
  parallelism: '',
  savepointPath: '',
  allowNonRestoredState: false,
}

/** Body of POST /jars/:id/run and /plan. */
export function runBody({ args, parallelism, savepointPath, allowNonRestoredState }: RunForm): object {
  const path = savepointPath.trim()
  return {
    programArgsList: wordsOf(args),
    ...(parallelism.trim() !== '' && { parallelism: Number(parallelism) }),
    ...(path !== '' && { savepointPath: path, allowNonRestoredState }),
  }
}

/** What can't be sent, in words; undefined: nothing. */
export function problemOf({ parallelism, args }: RunForm): string | undefined {
  if (parallelism.trim() !== '' && !/^[1-9]\d{0,4}$/.test(parallelism.trim()))
    return 'Parallelism is a whole number from 1.'
  const open = args.replaceAll(/"[^"]*"|'[^']*'/g, '').match(/["']/)?.[0]
  return open === undefined ? undefined : `An argument begins with ${open} and does not end with it.`
}

/** Arguments as a shell would take them apart: by blanks, unless they are quoted. */
export function wordsOf(text: string): readonly string[] {
  const words: string[] = []
  // A word is quoted and plain parts without a blank between them.
  for (const [word] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g))
    words.push(word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_all, double, single) => double ?? single))
  return words
}
