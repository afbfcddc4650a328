import { apiGroup } from './names.ts';

/** Annotations of a pod: what people write, and what injection writes back. */
export const podAnnotations = {
  inject: `${apiGroup}/inject`,
  injectEnv: `${apiGroup}/inject-env`,
  sidecarCpu: `${apiGroup}/sidecar-cpu`,
  sidecarMemory: `${apiGroup}/sidecar-memory`,
  sidecarCpuLimit: `${apiGroup}/sidecar-cpu-limit`,
  sidecarMemoryLimit: `${apiGroup}/sidecar-memory-limit`,
  sidecarImage: `${apiGroup}/sidecar-image`,
  sidecarLogLevel: `${apiGroup}/sidecar-log-level`,
  /** Written by injection: canonical JSON of chains, container, image and resources. */
  status: `${apiGroup}/status`,
} as const;

/** `"true"` on every pod that has a sidecar, for `kubectl get pods -l`. */
export const injectedLabel = `${apiGroup}/injected`;
export const sidecarContainerName = 'belay';

/** Environment of an injected sidecar, beside what the wire needs. */
export const sidecarProcessVariables = {
  /** Where it listens for probes. */
  podIp: 'BELAY_POD_IP',
  /** error, warn or info. */
  logLevel: 'BELAY_LOG_LEVEL',
} as const;
