import { compileNamespace, type Compilation } from '@belay/operator/core/compile/compile-namespace.ts';
import type { Finding, ResourceConditions } from '@belay/operator/core/compile/conditions.ts';
import type { CompileTools, Manifest, Snapshot } from '@belay/operator/core/compile/snapshot.ts';
import { resolveKeys } from '../manifest/keys.ts';
import type { ManifestProblem } from '../manifest/manifest-problem.ts';
import { titleOf, type JsonObject, type ManifestResource } from '../manifest/read-manifests.ts';
import { configMapData } from '../manifest/secrets.ts';

/** One Belay resource, checked by its CRD. */
export interface CheckedManifest {
  readonly manifest: ManifestResource;
  /** What the compiler takes; null where the resource breaks a rule of its CRD. */
  readonly value: JsonObject | null;
}

/** One namespace of the files, compiled. */
export interface CheckedNamespace {
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly compilation: Compilation;
  /** It has chains, also where none of them is valid. */
  readonly hasChains: boolean;
}

export interface NamespaceContext {
  readonly resources: readonly ManifestResource[];
  /** False where a file could not be read: what is referred to may stand there. */
  readonly whole: boolean;
  readonly use: 'Machine' | 'Cluster';
  readonly tools: CompileTools;
}

/** Compiles what is valid of one namespace, and gives each finding its place in the files. */
export function checkNamespace(name: string, checked: readonly CheckedManifest[], context: NamespaceContext): { readonly namespace: CheckedNamespace; readonly problems: readonly ManifestProblem[] } {
  const own = checked.filter(({ manifest }) => manifest.namespace === name);
  const snapshot = snapshotOf(name, own, context.resources);
  const compilation = compileNamespace(snapshot, context.tools);
  const here = problemsOf(name, compilation.conditions, own, context);
  const there = context.use === 'Cluster' ? problemsOf(name, compileNamespace({ ...snapshot, standalone: false }, context.tools).conditions, own, context) : [];
  const onlyThere = there.filter((one) => !here.some((other) => sameFinding(one, other))).map(onlyInCluster);
  const hasChains = own.some(({ manifest }) => manifest.kind === 'FallbackChain');
  return { namespace: { name, snapshot, compilation, hasChains }, problems: [...here, ...onlyThere, ...(context.use === 'Cluster' ? wrongSecrets(snapshot, context) : [])] };
}

/** Secrets in the files that cannot give the key that a provider wants. One that is not in the files may be in the cluster. */
function wrongSecrets(snapshot: Snapshot, { resources, tools }: NamespaceContext): readonly ManifestProblem[] {
  return resolveKeys({ resources, snapshot, tools, env: {} }).problems.filter(({ severity }) => severity === 'error');
}

function snapshotOf(namespace: string, own: readonly CheckedManifest[], resources: readonly ManifestResource[]): Snapshot {
  const valid = (kind: string): readonly Manifest[] => own.filter(({ manifest }) => manifest.kind === kind).flatMap(({ value }) => (value === null ? [] : [value as unknown as Manifest]));
  return {
    namespace,
    namespaceLabels: {},
    providers: valid('ModelProvider'),
    foreignProviders: [],
    chains: valid('FallbackChain'),
    configMaps: resources.filter(({ kind, namespace: where }) => kind === 'ConfigMap' && where === namespace).map((one) => ({ namespace, name: one.name, data: configMapData(one) })),
    secrets: [],
    standalone: true,
    clusterDomain: 'cluster.local',
  };
}

function problemsOf(namespace: string, conditions: readonly ResourceConditions[], own: readonly CheckedManifest[], context: NamespaceContext): readonly ManifestProblem[] {
  return conditions.flatMap(({ kind, name, findings }) => {
    const manifest = own.findLast((one) => one.manifest.kind === kind && one.manifest.name === name)?.manifest;
    if (manifest === undefined) return [];
    return findings
      .filter((finding) => !madeByOthers(finding, manifest, own, context))
      .map((finding) => ({
        severity: severityOf(finding, context), path: finding.path, reason: finding.reason, message: finding.message, hint: null,
        file: manifest.file, resource: titleOf({ kind, namespace, name }), ...manifest.positionOf(finding.path),
      }));
  });
}

/** A ConfigMap that is not in the files may be in the cluster. */
function severityOf({ severity, reason }: Finding, { use }: NamespaceContext): ManifestProblem['severity'] {
  return severity === 'Warning' || (use === 'Cluster' && reason === 'ConfigMapNotFound') ? 'warning' : 'error';
}

/** A provider that cannot be used, or is missing only because its own manifest is wrong or its file unreadable, has been said already. */
function madeByOthers({ reason, path }: Finding, manifest: ManifestResource, own: readonly CheckedManifest[], { whole }: NamespaceContext): boolean {
  if (reason === 'ProviderNotAccepted') return true;
  if (reason !== 'ProviderNotFound') return false;
  if (!whole) return true;
  const index = Number(/^spec\.targets\[(\d+)\]/.exec(path)?.[1]);
  const { spec } = manifest.value as { spec?: { targets?: readonly { providerRef?: { name?: unknown } }[] } };
  const wanted = spec?.targets?.[index]?.providerRef?.name;
  return own.some(({ manifest: other }) => other.kind === 'ModelProvider' && other.name === wanted);
}

function sameFinding(a: ManifestProblem, b: ManifestProblem): boolean {
  return a.resource === b.resource && a.path === b.path && a.reason === b.reason;
}

function onlyInCluster(problem: ManifestProblem): ManifestProblem {
  return { ...problem, severity: 'warning', message: `fine under belay run, refused in a cluster: ${problem.message}` };
}
