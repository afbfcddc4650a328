import type { PatchOperation } from '@belay/operator/core/inject/patch-for.ts';

type Node = { [key: string]: unknown } | unknown[];

/** The value after the patch (RFC 6902: add, replace, remove); throws where a path leads nowhere, as an API server would refuse it. */
export function applyPatch<T>(value: T, patch: readonly PatchOperation[]): T {
  const result = structuredClone(value);
  for (const operation of patch) applyOperation(result as Node, operation);
  return result;
}

function applyOperation(root: Node, { op, path, value }: PatchOperation): void {
  const steps = path.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop() ?? '';
  const parent = steps.reduce((node, step) => childOf(node, step, path), root);
  if (Array.isArray(parent)) return applyToList(parent, last, { op, path, value });
  if (op !== 'add' && !Object.hasOwn(parent, last)) throw new Error(`${op} ${path}: nothing is there`);
  if (op === 'remove') delete parent[last];
  else parent[last] = structuredClone(value);
}

function applyToList(list: unknown[], step: string, { op, path, value }: PatchOperation): void {
  const index = step === '-' ? list.length : Number(step);
  const end = op === 'add' ? list.length : list.length - 1;
  if (!(index >= 0 && index <= end)) throw new Error(`${op} ${path}: the list has ${list.length} elements`);
  list.splice(index, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [structuredClone(value)]));
}

function childOf(node: Node, step: string, path: string): Node {
  const child = (node as { [key: string]: unknown })[step];
  if (typeof child !== 'object' || child === null) throw new Error(`${path}: "${step}" leads nowhere`);
  return child as Node;
}
