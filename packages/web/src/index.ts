// Owns: the web page: its sources in `page`, where it is once it is built.
// Called by: cluster, which has rest serve the built files.
// Calls: nothing; in the browser, the REST API.
// Thread: main threads of JobManagers; the page itself runs in browsers.

export { WEB_PAGE_FOLDER } from './web-page-folder.ts'
