/** Variables by which Node, and with it a sidecar, learns of a proxy; of two spellings the first is read. */
export const proxyVariables: readonly string[] = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];
/** And of the hosts that it is not asked for. */
export const proxyExceptions: readonly string[] = ['NO_PROXY', 'no_proxy'];
