import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { runTool } from './run-tool.ts';

export const repository = join(import.meta.dirname, '..', '..');
export const chart = join(repository, 'charts', 'belay');
/** Every toggle on, and every list filled. */
export const everything = join(import.meta.dirname, 'everything.yaml');

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  readonly args?: readonly string[];
  /** Values as YAML or JSON. */
  readonly values?: unknown;
}

/** What helm says to a render: the manifests, or its refusal. */
export async function tryRender({ release = 'belay', namespace = 'belay-system', args = [], values }: RenderOptions = {}): Promise<{ readonly text: string } | { readonly refused: string }> {
  const given = values === undefined ? [] : ['--values', '-'];
  const { code, stdout, stderr } = await runTool('helm', ['template', release, chart, '--namespace', namespace, ...args, ...given], values === undefined ? {} : { stdin: JSON.stringify(values) });
  return code === 0 ? { text: stdout } : { refused: stderr };
}

export async function renderText(options?: RenderOptions): Promise<string> {
  const result = await tryRender(options);
  if ('refused' in result) throw new Error(result.refused);
  return result.text;
}

export async function renderChart(options?: RenderOptions): Promise<readonly Rendered[]> {
  return parseObjects(await renderText(options));
}

export function parseObjects(text: string): readonly Rendered[] {
  return parseAllDocuments(text).map((document) => document.toJSON() as Rendered | null).filter((object) => object !== null);
}

/** The one object of a kind and name. */
export function find<T>(objects: readonly Rendered[], kind: string, name: string): Rendered & T {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects are ${kind} ${name}`);
  return found[0] as Rendered & T;
}

export const isHook = ({ metadata: { annotations = {} } }: Rendered): boolean => annotations['helm.sh/hook'] !== undefined;

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly securityContext: unknown;
  readonly imagePullSecrets?: unknown;
  readonly nodeSelector?: unknown;
  readonly affinity?: unknown;
  readonly hostNetwork?: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly args: readonly string[];
    readonly env: readonly { readonly name: string }[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly resources: unknown;
  }[];
}

export interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: unknown;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> }; readonly spec: PodSpec };
  };
}
