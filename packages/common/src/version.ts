/** Version of the product: of this workspace's packages. */
export const VERSION = '0.1.0'
