/** API group of every Belay kind (docs: Kubernetes API conventions, "Groups and versions"). */
export const apiGroup = 'belay.dev';
/** The one served version of every kind. */
export const apiVersion = 'v1alpha1';
/** `apiVersion` as it stands in a manifest. */
export const groupVersion = `${apiGroup}/${apiVersion}`;

/** Where applications reach a sidecar: 127.0.0.1 only. */
export const applicationPort = 7411;
/** Probes and metrics; on the pod's address in a cluster, on loopback under `belay run`. */
export const adminPort = 7412;

/** Largest request body a sidecar takes, in bytes (32 MiB); a larger one is answered 413 before it is buffered. */
export const maxBodyBytes = 32 * 1024 * 1024;
/** Ring sizes of `/belay/decisions`: the last of all, and apart from them the last that fell back or failed. */
export const decisionRingSize = 256;

/** Headers an application may send; the same settings may stand in the body under `belay`. */
export const requestHeaders = {
  targets: 'x-belay-targets',
  latencyBudget: 'x-belay-latency-budget',
  fallbackMode: 'x-belay-fallback-mode',
  egress: 'x-belay-egress',
  explain: 'x-belay-explain',
} as const;

/** Headers of every answer that a chain gave. */
export const responseHeaders = {
  requestId: 'x-belay-request-id',
  chain: 'x-belay-chain',
  target: 'x-belay-target',
  model: 'x-belay-model',
  attempts: 'x-belay-attempts',
  mode: 'x-belay-mode',
  reason: 'x-belay-reason',
} as const;
