import { compileNamespace, type Compilation } from '@belay/operator/core/compile/compile-namespace.ts';
import type { Finding, ResourceConditions } from '@belay/operator/core/compile/conditions.ts';
import type { CompileTools, Manifest, Snapshot } from '@belay/operator/core/compile/snapshot.ts';
import { resolveKeys } from '../manifest/keys.ts';
import type { ManifestProblem } from '../manifest/manifest-problem.ts';
import { isObject, titleOf, type JsonObject, type ManifestResource } from '../manifest/read-manifests.ts';
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

/** Compiles what is valid of one namespace, with what its chains use of others, and gives each finding its place in the files. */
export function checkNamespace(name: string, checked: readonly CheckedManifest[], context: NamespaceContext): { readonly namespace: CheckedNamespace; readonly problems: readonly ManifestProblem[] } {
  const own = checked.filter(({ manifest }) => manifest.namespace === name);
  const snapshot = snapshotOf(name, checked, context.resources);
  const compilation = compileNamespace(snapshot, context.tools);
  const here = problemsOf(name, compilation.conditions, checked, context);
  const there = context.use === 'Cluster' ? problemsOf(name, compileNamespace({ ...snapshot, standalone: false }, context.tools).conditions, checked, context) : [];
  const onlyThere = there.filter((one) => !here.some((other) => sameFinding(one, other))).map(onlyInCluster);
  const hasChains = own.some(({ manifest }) => manifest.kind === 'FallbackChain');
  return { namespace: { name, snapshot, compilation, hasChains }, problems: [...here, ...onlyThere, ...(context.use === 'Cluster' ? wrongSecrets(snapshot, context) : [])] };
}

/** Secrets in the files that cannot give the key that a provider wants. One that is not in the files may be in the cluster. */
function wrongSecrets(snapshot: Snapshot, { resources, tools }: NamespaceContext): readonly ManifestProblem[] {
  const own = `ModelProvider ${snapshot.namespace}/`;
  return resolveKeys({ resources, snapshot, tools, env: {} }).problems.filter(({ severity, resource }) => severity === 'error' && resource?.startsWith(own) === true);
}

function snapshotOf(namespace: string, checked: readonly CheckedManifest[], resources: readonly ManifestResource[]): Snapshot {
  const valid = (kind: string) => checked.flatMap(({ manifest, value }) => (manifest.kind !== kind || value === null ? [] : [{ ...(value as unknown as Manifest), namespace: manifest.namespace }]));
  const own = (kind: string): readonly Manifest[] => valid(kind).filter((one) => one.namespace === namespace);
  return {
    namespace,
    namespaceLabels: namespaceLabels(resources, namespace) ?? {},
    providers: own('ModelProvider'),
    foreignProviders: valid('ModelProvider').filter((one) => one.namespace !== namespace),
    chains: own('FallbackChain'),
    configMaps: resources.filter(({ kind }) => kind === 'ConfigMap').map((one) => ({ namespace: one.namespace, name: one.name, data: configMapData(one) })),
    secrets: [],
    standalone: true,
    clusterDomain: 'cluster.local',
  };
}

/** Labels of a namespace whose manifest is in the files; null: it is not. */
function namespaceLabels(resources: readonly ManifestResource[], namespace: string): { readonly [label: string]: string } | null {
  const metadata = resources.findLast(({ kind, apiVersion, name }) => kind === 'Namespace' && apiVersion === 'v1' && name === namespace)?.value['metadata'];
  if (metadata === undefined) return null;
  const labels = isObject(metadata) ? metadata['labels'] : undefined;
  return isObject(labels) ? Object.fromEntries(Object.entries(labels).filter((label): label is [string, string] => typeof label[1] === 'string')) : {};
}

function problemsOf(namespace: string, conditions: readonly ResourceConditions[], checked: readonly CheckedManifest[], context: NamespaceContext): readonly ManifestProblem[] {
  return conditions.flatMap(({ kind, name, findings }) => {
    const manifest = checked.findLast((one) => one.manifest.kind === kind && one.manifest.name === name && one.manifest.namespace === namespace)?.manifest;
    if (manifest === undefined) return [];
    return findings
      .filter((finding) => !madeByOthers(finding, manifest, checked, context))
      .map((finding) => ({
        severity: severityOf(finding, manifest, context), path: finding.path, reason: finding.reason, message: finding.message, hint: null,
        file: manifest.file, resource: titleOf({ kind, namespace, name }), ...manifest.positionOf(finding.path),
      }));
  });
}

/** What is not in the files may be in the cluster: a ConfigMap, a provider of another namespace, the labels of this one. */
function severityOf({ severity, reason, path }: Finding, manifest: ManifestResource, { use, resources }: NamespaceContext): ManifestProblem['severity'] {
  if (severity === 'Warning') return 'warning';
  if (use === 'Machine') return 'error';
  if (reason === 'RefNotPermitted') return namespaceLabels(resources, manifest.namespace) === null ? 'warning' : 'error';
  return reason === 'ConfigMapNotFound' || (reason === 'ProviderNotFound' && wantedProvider(manifest, path).namespace !== manifest.namespace) ? 'warning' : 'error';
}

/** A provider that cannot be used, or is missing only because its own manifest is wrong or its file unreadable, has been said already. */
function madeByOthers({ reason, path }: Finding, manifest: ManifestResource, checked: readonly CheckedManifest[], { whole }: NamespaceContext): boolean {
  if (reason === 'ProviderNotAccepted') return true;
  if (reason !== 'ProviderNotFound') return false;
  if (!whole) return true;
  const wanted = wantedProvider(manifest, path);
  return checked.some(({ manifest: other }) => other.kind === 'ModelProvider' && other.name === wanted.name && other.namespace === wanted.namespace);
}

/** What the target at a finding's path refers to. */
function wantedProvider(manifest: ManifestResource, path: string): { readonly namespace: unknown; readonly name: unknown } {
  const index = Number(/^spec\.targets\[(\d+)\]/.exec(path)?.[1]);
  const { spec } = manifest.value as { spec?: { targets?: readonly { providerRef?: { name?: unknown; namespace?: unknown } }[] } };
  const reference = spec?.targets?.[index]?.providerRef;
  return { name: reference?.name, namespace: reference?.namespace ?? manifest.namespace };
}

function sameFinding(a: ManifestProblem, b: ManifestProblem): boolean {
  return a.resource === b.resource && a.path === b.path && a.reason === b.reason;
}

function onlyInCluster(problem: ManifestProblem): ManifestProblem {
  return { ...problem, severity: 'warning', message: `fine under belay run, refused in a cluster: ${problem.message}` };
}
