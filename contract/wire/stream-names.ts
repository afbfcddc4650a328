/**
 * Names of the wire between a sidecar and the operator's distributor: one HTTP/2 request a sidecar over TLS 1.3, `POST /v1/stream`,
 * whose two bodies are NDJSON frames. Answered 200 at once, or 401 where the token is refused; anything else is a reason to come back later.
 * Both programs take every name from here.
 */
export const streamPath = '/v1/stream';
export const streamPort = 7443;
export const streamContentType = 'application/x-ndjson';
/** Of the whole wire. A peer of another protocol is refused; within one, unknown frames and fields are ignored. */
export const streamProtocol = 1;

/** Carries the projected token: `Bearer TOKEN` (RFC 6750). */
export const authorizationHeader = 'authorization';
/** Kubernetes token projection: audience and lifetime as the webhook asks for them and TokenReview checks them. */
export const tokenAudience = 'belay.dev';
export const tokenExpirationSeconds = 3_600;

/** Files of an injected sidecar; read again before every connect. */
export const sidecarFiles = {
  token: '/var/run/secrets/belay.dev/token',
  /** Mount of the ConfigMap `belay-bootstrap`; optional, so a file may be missing. */
  bootstrap: '/var/run/belay/bootstrap',
} as const;

/** Environment of an injected sidecar. */
export const sidecarVariables = {
  /** `host:port` of the distributor. */
  distributor: 'BELAY_DISTRIBUTOR',
  /** `*`, or names of chains separated by commas. */
  chains: 'BELAY_CHAINS',
  podName: 'BELAY_POD_NAME',
  podUid: 'BELAY_POD_UID',
  namespace: 'BELAY_POD_NAMESPACE',
  /** PEM text of the CAs as the webhook knew them: used until the bootstrap ConfigMap brings its own. */
  certificates: 'BELAY_CA_CERTIFICATES',
} as const;

/** The one ConfigMap a namespace gets; never a key in it. */
export const bootstrapName = 'belay-bootstrap';
export const bootstrapKeys = { table: 'table.json', endpoints: 'endpoints.json', certificates: 'ca.crt' } as const;
/** Bytes of UTF-8 over all values, below etcd's 1 MiB with room for the object around them. */
export const maxBootstrapBytes = 900 * 1024;

/** Longest line each side takes, in UTF-16 code units. */
export const maxServerFrameLength = 8 * 1024 * 1024;
export const maxClientFrameLength = 256 * 1024;
/** What one hello may list: more than any annotation can ask for, or any release can read. */
export const maxHelloChains = 256;
export const maxHelloSchemaVersions = 32;
/** Longest sentence of a nack that travels; the rest is cut. */
export const maxNackLength = 1_000;

export const pingIntervalMs = 20_000;
/** Either side that hears nothing for this long takes the connection for dead. */
export const silenceLimitMs = 60_000;
/** How often a sidecar reports; it also tells the operator that the sidecar lives. */
export const reportIntervalMs = 5_000;

/** `Bearer TOKEN`, and the token in it; null where the header is none. */
export function bearerToken(header: unknown): string | null {
  return typeof header === 'string' ? (/^Bearer ([\w.~+/=-]+)$/i.exec(header)?.[1] ?? null) : null;
}
