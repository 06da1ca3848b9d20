import { booleanType, option, portType, stringType } from '@flink-ts/common'

/** Configuration keys of the REST API. */
export const RestOptionKeys = {
  port: option('rest.port', portType, {
    defaultValue: 8081,
    description: 'Port of the REST API; 0: any free one.',
    deprecatedKeys: ['rest.bind-port'],
  }),
  bindAddress: option('rest.bind-address', stringType, {
    defaultValue: '127.0.0.1',
    description: 'Address on which the REST API listens.',
  }),
  submitEnabled: option('web.submit.enable', booleanType, {
    defaultValue: true,
    description: 'Whether programs can be uploaded and run by REST and the web page.',
    deprecatedKeys: ['jobmanager.web.submit.enable'],
  }),
  uploadFolder: option('web.upload.dir', stringType, {
    defaultValue: '',
    description:
      'Folder of uploaded programs. If empty, one that is removed with the JobManager process; programs in a folder ' +
      'that is named here stay.',
    deprecatedKeys: ['jobmanager.web.upload.dir'],
  }),
  allowUnauthenticated: option('security.rest.allow-unauthenticated', booleanType, {
    defaultValue: false,
    description:
      'Opens the REST API beyond this machine although it demands no token (security.auth.token-file): whoever ' +
      'reaches the port can see and cancel all jobs.',
  }),
}
