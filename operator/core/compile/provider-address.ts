import type { Parsed } from '@belay/contract';
import type { ModelProviderSpec } from '../resources/model-provider.ts';
import { errorFinding, warningFinding, type Finding } from './conditions.ts';
import { hostPlace, type HostPlace } from './host-place.ts';
import type { Preset } from './presets.ts';
import type { CompileTools, ParsedURL, Snapshot } from './snapshot.ts';

/** Where a provider is reached. */
export interface ProviderAddress {
  /** As it travels: a URL without a trailing slash, or `local:` and the provider's name in the table. */
  readonly text: string;
  /** scheme://host[:port]; null: a local provider. */
  readonly origin: string | null;
  readonly place: HostPlace | 'Local';
  /** Host and port, or `local:NAME`: what fails together where the manifest names nothing else. */
  readonly host: string;
}

/** The address of a provider by its name in the table, or null where it has none that may be called; why stands in `findings`. */
export function providerAddress(name: string, spec: ModelProviderSpec, preset: Preset | null, snapshot: Snapshot, tools: CompileTools, findings: Finding[]): ProviderAddress | null {
  if (spec.local !== undefined) return { text: `local:${name}`, origin: null, place: 'Local', host: `local:${name}` };
  const url = parseBaseURL(spec.baseURL ?? preset?.baseURL ?? '', tools);
  if (!url.ok) {
    findings.push(...url.problems.map(({ path, message }) => errorFinding('Accepted', 'InvalidURL', path, message)));
    return null;
  }
  const { protocol, host, hostname, pathname } = url.value;
  const place = hostPlace(hostname, snapshot.clusterDomain);
  const path = pathname.replace(/\/+$/, '');
  const origin = `${protocol}//${host}`;
  const insecure = insecureText(url.value, place, spec, snapshot);
  if (insecure !== null) findings.push(errorFinding('Accepted', 'InsecureURL', 'spec.baseURL', insecure));
  if (path === '' && preset?.baseURL === null) {
    findings.push(warningFinding('PathMissing', 'spec.baseURL', `has no path, and ${spec.preset} serves its OpenAI endpoints below /v1: ${origin}/v1 is probably meant`));
  }
  return { text: `${origin}${path}`, origin, place, host };
}

function parseBaseURL(text: string, tools: CompileTools): Parsed<ParsedURL> {
  const url = tools.parseURL(text);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.hostname !== '') return { ok: true, value: url };
  const message = `"${text}" is not a URL that can be called: it must be such as https://llm.example/v1, with a port of at most 65535`;
  return { ok: false, problems: [{ path: 'spec.baseURL', message }] };
}

/** Why plain http may not go there; null: it may. */
function insecureText({ protocol, host }: ParsedURL, place: HostPlace, { allowInsecureHTTP }: ModelProviderSpec, { standalone, clusterDomain }: Snapshot): string | null {
  if (protocol === 'https:' || allowInsecureHTTP === true || place === 'Service' || (place === 'Loopback' && standalone)) return null;
  return place === 'Loopback'
    ? `plain http to ${host} is for \`belay run\` on one machine: in a cluster use a Service, or set allowInsecureHTTP for a server in the application's own pod`
    : `plain http to ${host} is refused: use https, a Service (host ending .svc or .svc.${clusterDomain}), or set allowInsecureHTTP where the network is trusted`;
}
