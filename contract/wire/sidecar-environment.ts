import { parsed, type Parsed, type Problem } from '../problem.ts';
import { isChainWish } from './select-chains.ts';
import { sidecarVariables, streamPort } from './stream-names.ts';

/** What injection tells a sidecar. */
export interface SidecarEnvironment {
  readonly distributor: { readonly host: string; readonly port: number };
  /** `*` alone, or names of chains. */
  readonly chains: readonly string[];
  readonly podName: string;
  readonly podUid: string;
  readonly namespace: string;
  /** PEM text; empty: none. */
  readonly certificates: string;
}

/** The environment of an injected sidecar, or every variable that is not what injection sets. */
export function parseSidecarEnvironment(environment: { readonly [name: string]: string | undefined }): Parsed<SidecarEnvironment> {
  const problems: Problem[] = [];
  const read = (variable: string) => {
    const value = environment[variable] ?? '';
    if (value === '') problems.push({ path: variable, message: 'must be set in the environment: the injection webhook sets it' });
    return value;
  };
  const address = read(sidecarVariables.distributor);
  const distributor = hostAndPort(address);
  if (address !== '' && distributor === null) problems.push({ path: sidecarVariables.distributor, message: `must be host:port, such as belay.belay-system.svc:${streamPort}, not ${JSON.stringify(address)}` });
  const wish = read(sidecarVariables.chains);
  const chains = wish.split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (wish !== '' && !isChainWish(chains)) problems.push({ path: sidecarVariables.chains, message: 'must be * alone, or names of chains separated by commas, at least one' });
  const value: SidecarEnvironment = {
    distributor: distributor ?? { host: '', port: streamPort },
    chains,
    podName: read(sidecarVariables.podName),
    podUid: read(sidecarVariables.podUid),
    namespace: read(sidecarVariables.namespace),
    certificates: environment[sidecarVariables.certificates] ?? '',
  };
  return problems.length === 0 ? parsed(value) : { ok: false, problems };
}

/** `host`, `host:port` or `[IPv6]:port`; null: none of them. */
function hostAndPort(address: string): SidecarEnvironment['distributor'] | null {
  const [, host, port = String(streamPort)] = /^([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::([1-9][0-9]{0,4}))?$/.exec(address) ?? [];
  return host === undefined || Number(port) > 65_535 ? null : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
