import { defineConfig } from 'vite'

/** The page as static files. Relative addresses, so that it works behind any prefix of a path. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The policy of the page allows no inline data.
    assetsInlineLimit: 0,
  },
})
