import type { RoutingTable } from '@belay/contract';
import type { Manifest } from '@belay/operator/core/compile/snapshot.ts';
import { resolveKeys, type PlainKey } from '../manifest/keys.ts';
import type { FoundManifests } from '../manifest/manifest-files.ts';
import { sortProblems, type ManifestProblem } from '../manifest/manifest-problem.ts';
import { selectNamespace } from './select-namespace.ts';
import { compileTools, hasErrors, validateManifests } from './validate-manifests.ts';

export interface LoadRequest {
  readonly found: FoundManifests;
  /** `-n`; null: the only namespace with chains. */
  readonly namespace: string | null;
}

/** All that `belay run` needs of the manifests; plain JSON, so that it can come from another process. */
export interface LoadedManifests {
  /** In the order of the files. Warnings too, those about missing keys among them. */
  readonly problems: readonly ManifestProblem[];
  /** null where `problems` holds an error. */
  readonly served: ServedManifests | null;
}

export interface ServedManifests {
  readonly table: RoutingTable;
  /** The namespace's ModelProviders, as its table was made from. */
  readonly providers: readonly Manifest[];
  readonly keys: readonly PlainKey[];
}

/** Reads, checks and compiles the manifests of one namespace, and finds its keys in them or in `env`. */
export async function loadManifests({ found, namespace }: LoadRequest, env: { readonly [name: string]: string | undefined }): Promise<LoadedManifests> {
  const validated = await validateManifests(found, { namespace, use: 'Machine' });
  const files = found.files.map(({ name }) => name);
  const selected = selectNamespace(validated, namespace);
  if (!selected.ok) {
    const unselected = hasErrors(validated) ? [] : selected.problems.map(({ message }) => namespaceProblem(message, files));
    return { problems: [...validated.problems, ...unselected], served: null };
  }
  const { snapshot, compilation } = selected.value;
  const { keys, problems: keyProblems } = resolveKeys({ resources: validated.resources, snapshot, tools: compileTools, env });
  const problems = sortProblems([...validated.problems, ...keyProblems], files);
  return { problems, served: hasErrors({ problems }) ? null : { table: compilation.table, providers: snapshot.providers, keys } };
}

function namespaceProblem(message: string, files: readonly string[]): ManifestProblem {
  return { severity: 'error', reason: 'NamespaceUnclear', path: '', message, file: files.length === 1 ? (files[0] ?? '') : `${files.length} files`, line: 0, column: 0, resource: null, hint: null };
}
