import { groupVersion, apiGroup } from '@belay/contract';
import { parseFieldPath, type FieldPath } from './field-path.ts';
import type { ManifestProblem } from './manifest-problem.ts';
import { createLineTable, splitDocuments, type Position } from './manifest-text.ts';
import { nearestName } from './nearest-name.ts';
import { readTree, type Json, type Mark } from './yaml-tree.ts';

/** A file's name as the user gave it, and its text. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

export type JsonObject = { readonly [key: string]: Json };

/** One object out of a manifest, with the place of each of its fields. */
export interface ManifestResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Where the manifest names none: that of `-n`, else `default`, as with kubectl. */
  readonly namespace: string;
  /** The object as written: nothing defaulted, nothing dropped. */
  readonly value: JsonObject;
  readonly file: string;
  /** Where a field stands; where it is missing, its nearest parent. */
  readonly positionOf: (path: string | FieldPath, of?: 'key' | 'value') => Position;
}

export interface ReadManifests {
  readonly resources: readonly ManifestResource[];
  readonly problems: readonly ManifestProblem[];
}

/** Kinds of the group `belay.dev` that manifests may hold. */
export const belayKinds = ['FallbackChain', 'ModelProvider'] as const;

/**
 * Texts to objects. `List` kinds are unfolded; documents that are empty or hold only comments are left out. Kinds of other
 * groups are returned too: the caller takes those it has a use for (Secret, ConfigMap).
 */
export function readManifests(files: readonly ManifestFile[], defaultNamespace = 'default'): ReadManifests {
  const resources: ManifestResource[] = [];
  const problems: ManifestProblem[] = [];
  for (const file of files) readFile(file, defaultNamespace, resources, problems);
  return { resources, problems };
}

function readFile({ name, text }: ManifestFile, defaultNamespace: string, resources: ManifestResource[], problems: ManifestProblem[]): void {
  const positionAt = createLineTable(text);
  const unreadable = (offset: number, message: string, severity: 'error' | 'warning'): void => {
    problems.push({ path: '', message, severity, reason: 'ManifestUnreadable', file: name, ...positionAt(offset), resource: null, hint: null });
  };
  const { parts, fault } = splitDocuments(text);
  for (const part of parts) {
    const tree = readTree(part, (offset) => positionAt(part.offset + offset).line);
    for (const one of tree.faults) unreadable(part.offset + one.offset, one.message, one.severity);
    if (tree.value === null) continue;
    const source: Source = { file: name, defaultNamespace, offset: part.offset, positionAt, problems };
    collect(source, tree.value, tree.mark, [], resources);
  }
  if (fault !== null) unreadable(fault.offset, fault.message, 'error');
}

interface Source {
  readonly file: string;
  readonly defaultNamespace: string;
  readonly offset: number;
  readonly positionAt: (offset: number) => Position;
  readonly problems: ManifestProblem[];
}

function collect(source: Source, value: Json, mark: Mark, within: FieldPath, into: ManifestResource[]): void {
  const at = (path: FieldPath, of: 'key' | 'value' = 'value'): Position => positionIn(source, mark, path, of);
  if (!isObject(value)) {
    refuse(source, at([]), '', 'ManifestInvalid', `a manifest must be a mapping with apiVersion, kind and metadata, not ${nameOf(value)}`);
    return;
  }
  const { kind } = value;
  const before = source.problems.length;
  if (typeof kind !== 'string' || kind === '') refuse(source, at(['kind'], 'key'), 'kind', 'FieldValueRequired', `Object 'Kind' is missing`, 'write kind: FallbackChain, or kind: ModelProvider');
  else if (kind.endsWith('List') && Array.isArray(value['items'])) {
    (value['items'] as readonly Json[]).forEach((item, index) => {
      collect(source, item, childOf(childOf(mark, 'items'), index), [...within, 'items', index], into);
    });
    return;
  } else checkKind(source, at, value['apiVersion'], kind);
  if (source.problems.length > before) return;
  into.push(resourceFrom(source, value, mark));
}

function resourceFrom(source: Source, value: JsonObject, mark: Mark): ManifestResource {
  const metadata = isObject(value['metadata']) ? value['metadata'] : {};
  const { name, namespace } = metadata;
  return {
    apiVersion: String(value['apiVersion']),
    kind: String(value['kind']),
    name: typeof name === 'string' ? name : '',
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : source.defaultNamespace,
    value,
    file: source.file,
    positionOf: (path, of = 'value') => positionIn(source, mark, typeof path === 'string' ? parseFieldPath(path) : path, of),
  };
}

/** A Belay kind under a wrong version, and a kind that Belay does not have, are refused; other groups are not Belay's business. */
function checkKind(source: Source, at: (path: FieldPath) => Position, version: Json | undefined, kind: string): void {
  const known = (belayKinds as readonly string[]).includes(kind);
  if (typeof version !== 'string' || version === '') {
    refuse(source, at(['apiVersion']), 'apiVersion', 'FieldValueRequired', "Object 'apiVersion' is missing", `write apiVersion: ${known ? groupVersion : 'GROUP/VERSION'}`);
  } else if (known) {
    if (version !== groupVersion) refuse(source, at(['apiVersion']), 'apiVersion', 'FieldValueInvalid', wrongVersion(version));
  } else if (version === apiGroup || version.startsWith(`${apiGroup}/`)) {
    refuse(source, at(['kind']), 'kind', 'KindUnknown', `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(version)}`, kindHint(kind));
  } else if (/belay/i.test(version) && nearestName(kind, belayKinds) !== null) {
    refuse(source, at(['apiVersion']), 'apiVersion', 'FieldValueInvalid', wrongVersion(version), `and kind ${nearestName(kind, belayKinds)}`);
  }
}

function wrongVersion(version: string): string {
  return `Invalid value: ${JSON.stringify(version)}: must be ${groupVersion}`;
}

function kindHint(kind: string): string {
  const near = nearestName(kind, belayKinds);
  return near === null ? `the kinds are ${belayKinds.join(' and ')}` : `did you mean ${near}?`;
}

function refuse(source: Source, position: Position, path: string, reason: string, message: string, hint: string | null = null): void {
  source.problems.push({ path, message, severity: 'error', reason, file: source.file, ...position, resource: null, hint });
}

function childOf(mark: Mark, step: string | number): Mark {
  return mark.children.get(step) ?? mark;
}

function positionIn(source: Source, mark: Mark, path: FieldPath, of: 'key' | 'value'): Position {
  let found = mark;
  let whole = true;
  for (const step of path) {
    const next = found.children.get(step);
    if (next === undefined) {
      whole = false;
      break;
    }
    found = next;
  }
  const byKey = of === 'key' || !whole || found.children.size > 0;
  return source.positionAt(source.offset + (byKey ? found.keyAt : found.at));
}

/** `FallbackChain support/chat`. */
export function titleOf({ kind, namespace, name }: Pick<ManifestResource, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  return `the ${typeof value} ${JSON.stringify(value)}`;
}
