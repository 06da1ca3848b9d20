import { durationType, option } from '@flink-ts/common'

/** Configuration keys of the ResourceManager. */
export const ResourceManagerOptionKeys = {
  slotRequestRetryDelay: option('resourcemanager.slot-request.retry-delay', durationType, {
    defaultValue: 500,
    description: 'How long a slot is left alone after its TaskManager refused a request for it.',
  }),
}
