import { parsed, podAnnotations, type Parsed, type Problem } from '@belay/contract';
import type { Pod } from './pod.ts';
import { parseQuantity } from './quantity.ts';

/** What a pod's annotations ask for. */
export interface Injection {
  /** In the order written, each once; `*` alone: every chain of the namespace. */
  readonly chains: readonly string[];
  /** Which containers are told where the sidecar listens. */
  readonly environment: 'All' | 'WithoutEnvFrom' | 'None';
  /** Quantities that stand in for the defaults. */
  readonly resources: ResourceOverrides;
  readonly image: string | null;
  readonly logLevel: string;
}

export interface ResourceOverrides {
  readonly cpu: string | null;
  readonly memory: string | null;
  readonly cpuLimit: string | null;
  readonly memoryLimit: string | null;
}

const maxChains = 64;
const logLevels = ['error', 'warn', 'info'];
/** DNS subdomain (RFC 1123), as every resource's name is; 253 characters at most. */
const chainName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Registry, path, tag, digest: loose, for the kubelet judges it in the end. */
const imageReference = /^[a-zA-Z0-9][-a-zA-Z0-9._:/@]{0,511}$/;
const milli = 1_000_000n;
const unit = 1_000_000_000n;
const mebibyte = 2n ** 20n * unit;
/** Less than Node itself takes. */
const leastMemoryMebibytes = 64n;

/**
 * The injection that a pod's annotations ask for; null: none, by `"false"` or by absence. Each problem's path is the annotation.
 * Source: "Injection" in the API's description.
 */
export function parseInjection({ metadata: { annotations = {} } }: Pod): Parsed<Injection | null> {
  const inject = annotations[podAnnotations.inject];
  if (inject === undefined || inject === 'false') return parsed(null);
  const problems: Problem[] = [];
  const injection: Injection = {
    chains: chainsOf(inject, problems),
    environment: environmentOf(annotations[podAnnotations.injectEnv], problems),
    resources: resourcesOf(annotations, problems),
    image: imageOf(annotations[podAnnotations.sidecarImage], problems),
    logLevel: logLevelOf(annotations[podAnnotations.sidecarLogLevel], problems),
  };
  return problems.length === 0 ? parsed(injection) : { ok: false, problems };
}

function chainsOf(text: string, problems: Problem[]): readonly string[] {
  if (text.trim() === 'true') return ['*'];
  const written = text.split(',');
  const names = written.map((name) => name.trim());
  const refuse = (message: string) => problems.push({ path: podAnnotations.inject, message });
  const wrong = written.find((_, index) => isNoChain(names[index] ?? ''));
  if (wrong?.includes('/') === true) refuse(`chains of another namespace cannot be named yet: write the name of a chain of the pod's own namespace in place of ${quoted(wrong)}`);
  else if (wrong !== undefined) refuse(`must be "true", "false", or the names of chains with commas between them; ${quoted(wrong)} is no name of a chain`);
  if (names.length > maxChains) refuse(`names ${names.length} chains: up to ${maxChains} can be listed, "true" takes every chain of the namespace`);
  return [...new Set(names)];
}

function isNoChain(name: string): boolean {
  return !chainName.test(name) || name === 'true' || name === 'false';
}

function environmentOf(text: string | undefined, problems: Problem[]): Injection['environment'] {
  if (text === undefined) return 'WithoutEnvFrom';
  if (text !== 'true' && text !== 'false') problems.push({ path: podAnnotations.injectEnv, message: `must be "true" or "false", not ${quoted(text)}` });
  return text === 'false' ? 'None' : 'All';
}

function imageOf(text: string | undefined, problems: Problem[]): string | null {
  if (text === undefined) return null;
  if (!imageReference.test(text)) problems.push({ path: podAnnotations.sidecarImage, message: `must be an image reference such as registry.example/belay:1.0, not ${quoted(text)}` });
  return text;
}

function logLevelOf(text: string | undefined, problems: Problem[]): string {
  if (text === undefined) return 'info';
  if (!logLevels.includes(text)) problems.push({ path: podAnnotations.sidecarLogLevel, message: `must be one of ${logLevels.join(', ')}, not ${quoted(text)}` });
  return text;
}

function resourcesOf(annotations: { readonly [name: string]: string }, problems: Problem[]): ResourceOverrides {
  const read = (path: string, grain: bigint, example: string) => {
    const text = annotations[path];
    if (text === undefined) return null;
    const amount = parseQuantity(text);
    if (amount !== null && amount > 0n && amount % grain === 0n) return text;
    problems.push({ path, message: `must be a quantity above zero such as ${example}, not ${quoted(text)}` });
    return null;
  };
  const cpu = read(podAnnotations.sidecarCpu, milli, '50m or 0.5');
  const memory = read(podAnnotations.sidecarMemory, unit, '96Mi or 1G');
  const cpuLimit = read(podAnnotations.sidecarCpuLimit, milli, '500m or 2');
  const memoryLimit = read(podAnnotations.sidecarMemoryLimit, unit, '256Mi or 1G');
  if (exceeds(cpu, cpuLimit)) problems.push(above(podAnnotations.sidecarCpu, cpu, podAnnotations.sidecarCpuLimit, cpuLimit));
  if (exceeds(memory, memoryLimit)) problems.push(above(podAnnotations.sidecarMemory, memory, podAnnotations.sidecarMemoryLimit, memoryLimit));
  if (memoryLimit !== null && amountOf(memoryLimit) < leastMemoryMebibytes * mebibyte) {
    problems.push({ path: podAnnotations.sidecarMemoryLimit, message: `must be at least ${leastMemoryMebibytes}Mi, for a sidecar starts with no less; it is ${quoted(memoryLimit)}` });
  }
  return { cpu, memory, cpuLimit, memoryLimit };
}

function above(path: string, request: string | null, limitPath: string, limit: string | null): Problem {
  return { path, message: `${request} is more than ${limitPath} allows (${limit}): lower the one or raise the other` };
}

/** Both are given and the first is more. */
export function exceeds(quantity: string | null, other: string | null): boolean {
  return quantity !== null && other !== null && amountOf(quantity) > amountOf(other);
}

function amountOf(quantity: string): bigint {
  return parseQuantity(quantity) ?? 0n;
}

/** Quoted, and short enough for a sentence. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
