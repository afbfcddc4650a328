import type { Parsed, ProviderEntry } from '@belay/contract';
import type { ModelProvider, ModelProviderSpec } from '../resources/model-provider.ts';
import { errorFinding, warningFinding, type Finding } from './conditions.ts';
import { isKeyFinding, keyFindings } from './key-findings.ts';
import { parseTimeLimit } from './parse-time-limit.ts';
import { presetNamed, type Preset } from './presets.ts';
import { providerAddress, type ProviderAddress } from './provider-address.ts';
import type { CompileTools, ConfigMapFact, Snapshot } from './snapshot.ts';

/** A provider as chains see it. */
export interface CompiledProvider {
  /** As the table names it: `NAME`, or `NAMESPACE/NAME` of another namespace. */
  readonly name: string;
  /** null: no chain may use it; its error findings say why. */
  readonly entry: ProviderEntry | null;
  /** scheme://host[:port] of its address; null for a local provider or one without a usable address. */
  readonly origin: string | null;
  readonly local: boolean;
  /** Open weights for all that is known: a self-hosted preset, or a private address of no known provider. */
  readonly openModel: boolean;
  /** Why it is known to answer nothing now, though it stays in the table: a clause for people. null: nothing is known against it. */
  readonly obstacle: string | null;
  /** Window of a model in tokens; null: not known. */
  readonly contextTokens: (model: string) => number | null;
  readonly findings: readonly Finding[];
}

/** One ModelProvider of `namespace`, its defaults applied, to its entry in the snapshot's table. */
export function compileProvider({ metadata, spec }: ModelProvider, namespace: string, snapshot: Snapshot, tools: CompileTools): CompiledProvider {
  const name = namespace === snapshot.namespace ? metadata.name : `${namespace}/${metadata.name}`;
  const preset = spec.preset === undefined ? null : presetNamed(spec.preset);
  const findings: Finding[] = [...dialectFindings(spec, preset), ...keyFindings(spec, namespace, snapshot.secrets), ...keyWarnings(spec, preset)];
  const address = providerAddress(name, spec, preset, snapshot, tools, findings);
  const timeouts = timeoutsOf(spec, findings);
  const caCertificates = certificatesOf(spec, namespace, snapshot.configMaps, findings);
  const usable = findings.every((finding) => finding.severity === 'Warning' || isKeyFinding(finding));
  return {
    name,
    entry: address === null || !usable ? null : { name, ...identityOf(spec, preset, address), ...limitsOf(spec), timeouts, caCertificates },
    origin: address === null ? null : address.origin,
    local: spec.local !== undefined,
    openModel: preset === null ? address !== null && address.place !== 'Public' : preset.baseURL === null,
    obstacle: obstacleOf(name, spec, snapshot, findings),
    contextTokens: windowsOf(spec),
    findings,
  };
}

function obstacleOf(name: string, { suspend, local }: ModelProviderSpec, { endpoints = [] }: Snapshot, findings: readonly Finding[]): string | null {
  if (suspend) return 'is suspended';
  if (findings.some(isKeyFinding)) return 'lacks its key';
  const state = local === undefined ? undefined : endpoints.find((endpoint) => endpoint.name === name)?.state;
  if (state === 'Loading') return 'is loading its model';
  return state === 'Absent' ? 'has no server' : null;
}

function identityOf(spec: ModelProviderSpec, preset: Preset | null, { text, place, host }: ProviderAddress): Pick<ProviderEntry, 'preset' | 'dialect' | 'address' | 'inCluster' | 'failureDomain' | 'cancellation'> {
  return {
    preset: spec.preset ?? null,
    dialect: 'OpenAI',
    address: text,
    inCluster: place === 'Local' || place === 'Service' || place === 'Loopback',
    failureDomain: spec.failureDomain ?? vendorOf(spec, preset) ?? host,
    cancellation: spec.cancellation ?? defaultCancellation(spec, preset),
  };
}

/** Who runs the servers behind a preset; null: the user. */
function vendorOf(spec: ModelProviderSpec, preset: Preset | null): string | null {
  return spec.preset === undefined || preset?.baseURL === null ? null : spec.preset.toLowerCase();
}

function defaultCancellation({ local }: ModelProviderSpec, preset: Preset | null): ProviderEntry['cancellation'] {
  return local === undefined ? (preset?.cancellation ?? 'Unknown') : 'StopsBilling';
}

function limitsOf(spec: ModelProviderSpec): Pick<ProviderEntry, 'allowInsecureHTTP' | 'needsKey' | 'suspended' | 'headers' | 'concurrency'> {
  return {
    allowInsecureHTTP: spec.allowInsecureHTTP ?? false,
    needsKey: spec.credentials !== undefined,
    suspended: spec.suspend,
    headers: (spec.headers ?? []).map(({ name, value }) => ({ name, value })),
    concurrency: spec.limits?.concurrency ?? (spec.local === undefined ? null : spec.local.parallel * spec.local.replicas),
  };
}

/** What a manifest for a newer release may name and this one does not know. */
function dialectFindings(spec: ModelProviderSpec, preset: Preset | null): readonly Finding[] {
  if (spec.preset !== undefined && preset === null) {
    return [errorFinding('Accepted', 'DialectNotSupported', 'spec.preset', `this release of Belay knows no preset ${spec.preset}: use dialect and baseURL, or a newer release`)];
  }
  if (spec.dialect !== undefined && spec.dialect !== 'OpenAI') {
    return [errorFinding('Accepted', 'DialectNotSupported', 'spec.dialect', `this release of Belay does not speak the dialect ${String(spec.dialect)}, only OpenAI`)];
  }
  return [];
}

function keyWarnings(spec: ModelProviderSpec, preset: Preset | null): readonly Finding[] {
  if (preset === null || !preset.needsKey || spec.credentials !== undefined || spec.baseURL !== undefined) return [];
  return [warningFinding('KeyMissing', 'spec.credentials', `${spec.preset} answers nobody without a key, and none is sent: set credentials.secretKeyRef`)];
}

function timeoutsOf({ timeouts = {} }: ModelProviderSpec, findings: Finding[]): ProviderEntry['timeouts'] {
  const ms = (name: 'connect' | 'firstContent' | 'idle') => {
    const text = timeouts[name];
    return text === undefined ? null : valueOr(null, parseTimeLimit(text, `spec.timeouts.${name}`, 1), findings);
  };
  return { connectMs: ms('connect'), firstContentMs: ms('firstContent'), idleMs: ms('idle') };
}

function certificatesOf({ tls }: ModelProviderSpec, namespace: string, configMaps: readonly ConfigMapFact[], findings: Finding[]): readonly string[] {
  return (tls?.caCertificateRefs ?? []).flatMap(({ name }, index) => {
    const path = `spec.tls.caCertificateRefs[${index}].name`;
    const configMap = configMaps.findLast((fact) => fact.namespace === namespace && fact.name === name);
    const pem = configMap?.data?.['ca.crt'];
    if (pem?.includes('-----BEGIN CERTIFICATE-----') === true) return [pem];
    findings.push(certificateFinding(path, name, namespace, configMap));
    return [];
  });
}

function certificateFinding(path: string, name: string, namespace: string, configMap: ConfigMapFact | undefined): Finding {
  if (configMap === undefined) {
    return errorFinding('ResolvedRefs', 'ConfigMapNotFound', path, `there is no ConfigMap "${name}" in namespace ${namespace}: create it with the certificate authority as PEM under ca.crt`);
  }
  if (configMap.data === null) {
    return errorFinding('ResolvedRefs', 'ConfigMapAccessDenied', path, `the operator may not read ConfigMap "${name}" in namespace ${namespace}: bind its service account to a role that may get, list and watch this ConfigMap`);
  }
  return errorFinding('ResolvedRefs', 'CertificateMissing', path, `ConfigMap "${name}" has no certificate under ca.crt: put the certificate authority there as PEM`);
}

function windowsOf({ local, models = [] }: ModelProviderSpec): (model: string) => number | null {
  if (local !== undefined) return () => local.contextTokens;
  const windows = new Map(models.map(({ name, contextTokens }) => [name, contextTokens]));
  return (model) => windows.get(model) ?? null;
}

/** The parsed value; else `fallback`, and what is wrong becomes findings. */
export function valueOr<T, F>(fallback: F, result: Parsed<T>, findings: Finding[]): T | F {
  if (result.ok) return result.value;
  findings.push(...result.problems.map(({ path, message }) => errorFinding('Accepted', 'InvalidValue', path, message)));
  return fallback;
}
