import { exceeds, type ResourceOverrides } from './parse-injection.ts';
import type { Container, PodSpec, Quantities, Resources } from './pod.ts';
import { parseQuantity } from './quantity.ts';

const defaults = { cpu: '50m', memory: '96Mi', cpuLimit: '500m', memoryLimit: '256Mi' };
/** The rest is for Node itself and for bodies, which lie outside the heap. */
const heapShare = 2n;
const mebibyte = 2n ** 20n * 1_000_000_000n;

/** Requests and limits of the sidecar beside these containers, the pod's own; annotations win over every rule. */
export function sidecarResources(spec: PodSpec, containers: readonly Container[], overrides: ResourceOverrides): Resources {
  if (hasAny(spec.resources)) return written(overrides);
  return written(isGuaranteed(containers) ? guaranteed(overrides) : burstable(overrides, containers.every(({ resources }) => resources?.limits?.['cpu'] !== undefined)));
}

/** Node's `--max-old-space-size` in MiB: half of the memory limit; of the default limit where there is none. */
export function heapMebibytes({ limits = {} }: Resources): number {
  const limit = parseQuantity(String(limits['memory'] ?? defaults.memoryLimit)) ?? 0n;
  return Number(limit / heapShare / mebibyte);
}

/** `wanted`, spelled as `present` does where that is as much: the API server writes 0.5 as 500m. */
export function spelledAs(present: Resources | undefined, wanted: Resources): Resources {
  const spell = (there: Quantities = {}, quantities: Quantities): Quantities => Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => {
    const other = there[name];
    return [name, other !== undefined && parseQuantity(String(other)) === parseQuantity(String(quantity)) ? other : quantity];
  }));
  return {
    ...(wanted.requests === undefined ? {} : { requests: spell(present?.requests, wanted.requests) }),
    ...(wanted.limits === undefined ? {} : { limits: spell(present?.limits, wanted.limits) }),
  };
}

function burstable({ cpu, memory, cpuLimit, memoryLimit }: ResourceOverrides, everyCpuLimited: boolean): ResourceOverrides {
  return {
    cpu: cpu ?? lesser(defaults.cpu, cpuLimit),
    memory: memory ?? lesser(defaults.memory, memoryLimit),
    cpuLimit: cpuLimit ?? (everyCpuLimited ? greater(defaults.cpuLimit, cpu) : null),
    memoryLimit: memoryLimit ?? greater(defaults.memoryLimit, memory),
  };
}

/** Limit and request the same, or the pod would lose its class. */
function guaranteed({ cpu, memory, cpuLimit, memoryLimit }: ResourceOverrides): ResourceOverrides {
  return {
    cpu: cpu ?? cpuLimit ?? defaults.cpuLimit,
    memory: memory ?? memoryLimit ?? defaults.memoryLimit,
    cpuLimit: cpuLimit ?? cpu ?? defaults.cpuLimit,
    memoryLimit: memoryLimit ?? memory ?? defaults.memoryLimit,
  };
}

function written({ cpu, memory, cpuLimit, memoryLimit }: ResourceOverrides): Resources {
  const quantities = (cpuQuantity: string | null, memoryQuantity: string | null): Quantities =>
    ({ ...(cpuQuantity === null ? {} : { cpu: cpuQuantity }), ...(memoryQuantity === null ? {} : { memory: memoryQuantity }) });
  const requests = quantities(cpu, memory);
  const limits = quantities(cpuLimit, memoryLimit);
  return { ...(Object.keys(requests).length === 0 ? {} : { requests }), ...(Object.keys(limits).length === 0 ? {} : { limits }) };
}

/** Every container has limits of CPU and memory, and requests no less (Kubernetes documentation, "Pod Quality of Service Classes"). */
function isGuaranteed(containers: readonly Container[]): boolean {
  return containers.every(({ resources: { limits = {}, requests = {} } = {} }) => ['cpu', 'memory'].every((name) => {
    const limit = parseQuantity(String(limits[name]));
    const request = requests[name];
    return limit !== null && limit > 0n && (request === undefined || parseQuantity(String(request)) === limit);
  }));
}

function hasAny({ requests = {}, limits = {} }: Resources = {}): boolean {
  return Object.keys(requests).length + Object.keys(limits).length > 0;
}

function lesser(quantity: string, limit: string | null): string {
  return limit !== null && exceeds(quantity, limit) ? limit : quantity;
}

function greater(quantity: string, request: string | null): string {
  return request !== null && exceeds(request, quantity) ? request : quantity;
}
