import { createHash } from 'node:crypto';
import type { FoundManifests } from '../manifest/manifest-files.ts';
import { sortProblems, type ManifestProblem } from '../manifest/manifest-problem.ts';
import { belayKinds, isObject, readManifests, titleOf, type JsonObject, type ManifestResource } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import type { CompileTools } from '@belay/operator/core/compile/snapshot.ts';
import type { CheckedResource, ResourceCheck } from './check-resource.ts';
import { checkNamespace, type CheckedManifest, type CheckedNamespace } from './check-namespace.ts';

export interface ValidateOptions {
  /** `-n`: what stands without a namespace belongs to it, and other namespaces are left out. null: all of them. */
  readonly namespace: string | null;
  /** `Machine` for `belay run`; `Cluster` also warns of what only a cluster refuses. */
  readonly use: 'Machine' | 'Cluster';
}

export interface ValidatedManifests {
  /** In the order of the files. Warnings keep nothing from being served. */
  readonly problems: readonly ManifestProblem[];
  /** Sorted by name; those that hold a Belay kind. */
  readonly namespaces: readonly CheckedNamespace[];
  /** Every object in the files. */
  readonly resources: readonly ManifestResource[];
}

export const compileTools: CompileTools = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  parseURL: (text) => URL.parse(text),
};

/** Reads, checks and compiles manifests: each finding has its file, line and column. Never throws on what stands in them. */
export async function validateManifests({ files, faults }: FoundManifests, options: ValidateOptions): Promise<ValidatedManifests> {
  const { resources, problems: unreadable } = readManifests(files, options.namespace ?? 'default');
  const belay = resources.filter(({ kind }) => (belayKinds as readonly string[]).includes(kind));
  const own = belay.filter(({ namespace }) => options.namespace === null || namespace === options.namespace);
  const wanted = [...own, ...borrowed(own, belay)];
  const problems: ManifestProblem[] = [...faults.map(fileProblem), ...unreadable, ...repeated(wanted)];
  const checked: CheckedManifest[] = [];
  if (wanted.length > 0) {
    // ajv and the CEL evaluator cost more than all the rest: they are loaded when there is something to check.
    const { resourceCheckFor } = await import('./check-resource.ts');
    for (const manifest of wanted) checked.push(checkManifest(manifest, resourceCheckFor(manifest.kind), problems));
  }
  const whole = unreadable.every(({ severity }) => severity === 'warning') && faults.length === 0;
  const namespaces = [...new Set(own.map(({ namespace }) => namespace))].sort().map((namespace) => {
    const found = checkNamespace(namespace, checked, { resources, whole, use: options.use, tools: compileTools });
    problems.push(...found.problems);
    return found.namespace;
  });
  return { problems: sortProblems(problems, files.map(({ name }) => name)), namespaces, resources };
}

/** Providers of namespaces that are left out, as far as chains of the others refer to them. */
function borrowed(own: readonly ManifestResource[], belay: readonly ManifestResource[]): readonly ManifestResource[] {
  const references = new Set(own.filter(({ kind }) => kind === 'FallbackChain').flatMap(({ value, namespace }) => referencesOf(value, namespace)));
  return belay.filter((one) => one.kind === 'ModelProvider' && !own.includes(one) && references.has(`${one.namespace}/${one.name}`));
}

/** `NAMESPACE/NAME` of what a chain's targets refer to, whether or not the chain keeps its form. */
function referencesOf({ spec }: JsonObject, namespace: string): readonly string[] {
  const targets = isObject(spec) && Array.isArray(spec['targets']) ? (spec['targets'] as readonly Json[]) : [];
  return targets.flatMap((target) => {
    const reference = isObject(target) ? target['providerRef'] : null;
    return isObject(reference) ? [`${String(reference['namespace'] ?? namespace)}/${String(reference['name'])}`] : [];
  });
}

function fileProblem({ file, message }: { readonly file: string; readonly message: string }): ManifestProblem {
  return { severity: 'error', reason: 'FileUnreadable', path: '', message, file, line: 0, column: 0, resource: null, hint: null };
}

function checkManifest(manifest: ManifestResource, check: ResourceCheck, problems: ManifestProblem[]): CheckedManifest {
  const { value, errors, rulesSkipped } = check(manifest.value);
  const place = { file: manifest.file, resource: titleOf(manifest) };
  for (const { path, reason, message, hint } of errors) {
    problems.push({ severity: 'error', path, reason, message, hint, ...place, ...manifest.positionOf(path, reason === 'UnknownField' ? 'key' : 'value') });
  }
  if (rulesSkipped) problems.push({ ...skippedRules, ...place, ...manifest.positionOf('') });
  return { manifest, value: usable(manifest, errors) ? value : null };
}

const skippedRules = {
  severity: 'warning', path: '', reason: 'RulesNotChecked', hint: null,
  message: 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
} as const;

function usable({ name }: ManifestResource, errors: CheckedResource['errors']): boolean {
  return errors.length === 0 && name !== '';
}

/** The second and each further resource of one kind, namespace and name. */
function repeated(resources: readonly ManifestResource[]): readonly ManifestProblem[] {
  const first = new Map<string, ManifestResource>();
  return resources.flatMap((one) => {
    if (one.name === '') return [];
    const title = titleOf(one);
    const before = first.get(title);
    if (before === undefined) {
      first.set(title, one);
      return [];
    }
    const { line, column } = before.positionOf('metadata.name');
    const message = `${title} is already defined at ${before.file}:${line}:${column}, and kubectl would silently put this one in its place: remove one of the two, or give it another name`;
    return [{ severity: 'error', reason: 'ResourceRepeated', path: 'metadata.name', message, file: one.file, resource: title, hint: null, ...one.positionOf('metadata.name') }];
  });
}
