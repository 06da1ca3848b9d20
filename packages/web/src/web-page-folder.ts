import { fileURLToPath } from 'node:url'

/**
 * Where `npm run build` puts the page: `index.html` and its assets. Absent when it was not built. The same relative
 * place from the sources, from their build, and from the chunks of the bundled runtime.
 */
export const WEB_PAGE_FOLDER: string = fileURLToPath(new URL('../dist/page/', import.meta.url))
