import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { parsed, streamPort, type Parsed, type Problem } from '@belay/contract';
import type { UserIds } from '../core/inject/user-ids.ts';
import type { LogLine } from './log.ts';

export type Role = 'controller' | 'distributor' | 'webhook';

/** What the operator's program was told by its arguments and environment. */
export interface Settings {
  /** Empty where it is to clean up. */
  readonly roles: ReadonlySet<Role>;
  /** Remove what the operator made, and end. */
  readonly cleanup: boolean;
  /** Where Belay is installed. */
  readonly namespace: string;
  /** Of its Deployment, Services and Lease. */
  readonly name: string;
  /** Among replicas; for the lease. */
  readonly podName: string;
  readonly sidecar: ImageSettings;
  /** HOST:PORT as sidecars are told. */
  readonly distributor: string;
  readonly localTier: ImageSettings;
  readonly clusterDomain: string;
  readonly userIds: UserIds;
  /** DNS names and addresses of the leaf beside those of its Services. */
  readonly certificateNames: readonly string[];
  readonly webhookPort: number;
  readonly distributorPort: number;
  readonly probePort: number;
  readonly probeAddress: string;
  readonly logLevel: LogLine['level'];
  /** null: the pod's own service account. */
  readonly kubeconfig: string | null;
}

export interface ImageSettings {
  readonly image: string;
  readonly pullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly pullSecrets: readonly string[];
}

const allRoles: readonly Role[] = ['controller', 'distributor', 'webhook'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;
const userIds = ['fixed', 'platform'] as const satisfies readonly UserIds[];
const logLevels = ['error', 'warn', 'info'] as const;
const defaultSidecarImage = 'ghcr.io/belay-dev/belay:0.1.0';
const defaultLocalTierImage = 'ghcr.io/ggml-org/llama.cpp:server@sha256:295dc9897fa8a643e4a513fbcaada51d3b8db4b0afa4fda7aeae2386757de58b';
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

interface Flag {
  readonly name: string;
  readonly value: string;
  readonly text: string;
  readonly repeatable?: true;
}

const flags: readonly Flag[] = [
  { name: 'role', value: 'ROLES', text: 'controller, distributor, webhook, with commas between them; or all' },
  { name: 'namespace', value: 'NAME', text: 'where Belay is installed (default: BELAY_NAMESPACE)' },
  { name: 'name', value: 'NAME', text: 'of its Deployment, Services and Lease (default: belay)' },
  { name: 'sidecar-image', value: 'IMAGE', text: `(default: ${defaultSidecarImage})` },
  { name: 'sidecar-image-pull-policy', value: 'POLICY', text: 'Always, IfNotPresent or Never (default: IfNotPresent)' },
  { name: 'sidecar-image-pull-secret', value: 'NAME', text: 'added to every injected pod; may be given again', repeatable: true },
  { name: 'distributor', value: 'HOST:PORT', text: `where sidecars find it (default: NAME.NAMESPACE.svc:${streamPort})` },
  { name: 'local-tier-image', value: 'IMAGE', text: 'llama.cpp server of local providers (default: the upstream image, by digest)' },
  { name: 'local-tier-image-pull-policy', value: 'POLICY', text: 'Always, IfNotPresent or Never (default: IfNotPresent)' },
  { name: 'local-tier-image-pull-secret', value: 'NAME', text: 'of its pods; may be given again', repeatable: true },
  { name: 'cluster-domain', value: 'DOMAIN', text: 'DNS domain of Services (default: cluster.local)' },
  { name: 'user-ids', value: 'WHOSE', text: 'of injected containers and local tiers: fixed (65532), or platform, which leaves them out (default: fixed)' },
  { name: 'certificate-name', value: 'NAME', text: 'a DNS name or address that certificates hold beside the usual; may be given again', repeatable: true },
  { name: 'webhook-port', value: 'PORT', text: '(default: 9443)' },
  { name: 'distributor-port', value: 'PORT', text: `(default: ${streamPort})` },
  { name: 'probe-port', value: 'PORT', text: 'probes and metrics, over http (default: 8081)' },
  { name: 'probe-address', value: 'ADDRESS', text: '(default: BELAY_POD_IP, else 0.0.0.0)' },
  { name: 'log-level', value: 'LEVEL', text: 'error, warn or info (default: info)' },
  { name: 'kubeconfig', value: 'FILE', text: 'for development (default: the service account of the pod)' },
];

const switches = [
  ['  --cleanup', 'remove what the operator made in all namespaces, and end: after it was uninstalled'],
  ['  --help', 'print this help'],
] as const;

/** What `--help` prints. */
export function describeFlags(): string {
  const rows = flags.map(({ name, value, text }) => [`  --${name} ${value}`, text] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return `Usage: operator --role=ROLES [flags]\n       operator --cleanup [flags]\n\n${[...rows, ...switches].map(([left, text]) => `${left.padEnd(width)}  ${text}`).join('\n')}\n`;
}

/** Arguments (without node and script) and environment to settings; each problem's path is a flag. null: help was asked for. */
export function parseSettings(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Parsed<Settings | null> {
  const problems: Problem[] = [];
  const given = readArguments(args, problems);
  if (given === null) return { ok: false, problems };
  if (given['help'] !== undefined) return parsed(null);
  const read = readers(given, problems);
  const namespace = read.name('namespace', env['BELAY_NAMESPACE'] ?? '');
  const name = read.name('name', 'belay');
  const cleanup = given['cleanup'] !== undefined;
  const settings: Settings = {
    roles: cleanup ? read.noRoles() : read.roles(), cleanup, namespace, name,
    podName: env['BELAY_POD_NAME'] ?? `${name}-${process.pid}`,
    sidecar: read.image('sidecar-image', defaultSidecarImage),
    distributor: read.hostAndPort('distributor', `${name}.${namespace}.svc:${streamPort}`),
    localTier: read.image('local-tier-image', defaultLocalTierImage),
    clusterDomain: read.text('cluster-domain', 'cluster.local'),
    userIds: read.oneOf('user-ids', userIds, 'fixed'),
    certificateNames: read.list('certificate-name'),
    webhookPort: read.port('webhook-port', 9443),
    distributorPort: read.port('distributor-port', streamPort),
    probePort: read.port('probe-port', 8081),
    probeAddress: read.text('probe-address', env['BELAY_POD_IP'] ?? '0.0.0.0'),
    logLevel: read.oneOf('log-level', logLevels, 'info'),
    kubeconfig: read.list('kubeconfig')[0] ?? null,
  };
  return problems.length === 0 ? parsed(settings) : { ok: false, problems };
}

type Given = { readonly [name: string]: readonly string[] };

function readArguments(args: readonly string[], problems: Problem[]): Given | null {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean' }, cleanup: { type: 'boolean' }, ...Object.fromEntries(flags.map(({ name }) => [name, { type: 'string' as const, multiple: true }])) };
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : [String(value)]]));
  } catch (error) {
    // The first sentence says what is wrong; the next ones are about positional arguments, of which there are none.
    problems.push({ path: '', message: (error as Error).message.split('. ')[0] ?? '' });
    return null;
  }
}

function readers(given: Given, problems: Problem[]) {
  const refuse = (flag: string, message: string): void => { problems.push({ path: `--${flag}`, message }); };
  const list = (flag: string): readonly string[] => given[flag] ?? [];
  const text = (flag: string, fallback: string): string => {
    const values = list(flag);
    if (values.length > 1) refuse(flag, 'may be given once only');
    if (values[0] === '') refuse(flag, 'must not be empty');
    return values[0] ?? fallback;
  };
  const oneOf = <T extends string>(flag: string, choices: readonly T[], fallback: T): T => {
    const value = text(flag, fallback);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) refuse(flag, `must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}`);
    return choice ?? fallback;
  };
  return {
    list, text, oneOf,
    name(flag: string, fallback: string): string {
      const value = text(flag, fallback);
      if (!dnsLabel.test(value)) refuse(flag, value === '' ? 'must be given, or BELAY_NAMESPACE be set' : `must be lower-case letters, digits and -, up to 63 of them, not ${JSON.stringify(value)}`);
      return value;
    },
    port(flag: string, fallback: number): number {
      const value = text(flag, String(fallback));
      const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
      if (!(port <= 65_535)) refuse(flag, `must be a port from 0 (any free one) to 65535, not ${JSON.stringify(value)}`);
      return port;
    },
    hostAndPort(flag: string, fallback: string): string {
      const value = text(flag, fallback);
      if (!/^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/.test(value)) refuse(flag, `must be HOST:PORT, not ${JSON.stringify(value)}`);
      return value;
    },
    image: (flag: string, fallback: string): ImageSettings => ({ image: text(flag, fallback), pullPolicy: oneOf(`${flag}-pull-policy`, pullPolicies, 'IfNotPresent'), pullSecrets: list(`${flag}-pull-secret`) }),
    noRoles(): ReadonlySet<Role> {
      if (list('role').length > 0) refuse('role', 'may not be given together with --cleanup');
      return new Set();
    },
    roles(): ReadonlySet<Role> {
      const names = text('role', '').split(',').map((role) => role.trim()).filter((role) => role !== '');
      const wrong = names.find((role) => role !== 'all' && !allRoles.some((known) => known === role));
      if (wrong !== undefined) refuse('role', `${JSON.stringify(wrong)} is no role: ${allRoles.join(', ')} are, or all`);
      else if (names.length === 0) refuse('role', `must be given: ${allRoles.join(', ')} with commas between them, or all`);
      return new Set(names.includes('all') ? allRoles : allRoles.filter((role) => names.includes(role)));
    },
  };
}
