import type { NamespaceContent } from './select-resources.ts';

/** What one namespace's sidecars are given, and what will take its place. */
export interface Publication {
  readonly current: NamespaceContent | null;
  readonly pending: { readonly content: NamespaceContent; readonly sinceMs: number; readonly dueMs: number } | null;
}

const quietMs = 100;
const longestMs = 1_000;

/**
 * Something of the namespace was compiled anew. Its keys, endpoints and hints count at once, so that what was withdrawn is gone; its tables once
 * nothing has changed for 100 ms, and after 1 s at the latest. What a namespace gets first, it gets at once. The key of a provider that has moved to
 * another origin waits for the table that says so: until then requests go to the old one, and a key for the new one would leave them without any.
 */
export function changePublication({ current, pending }: Publication, content: NamespaceContent, nowMs: number): Publication {
  if (current === null) return { current: content, pending: null };
  const sinceMs = pending?.sinceMs ?? nowMs;
  const keys = content.keys.map((key) => current.keys.find(({ provider, origin }) => provider === key.provider && origin !== key.origin) ?? key);
  return { current: { ...content, keys, tables: current.tables }, pending: { content, sinceMs, dueMs: Math.min(nowMs + quietMs, sinceMs + longestMs) } };
}

/** Its time has come, or it is not yet due and all stays. */
export function duePublication(publication: Publication, nowMs: number): Publication {
  const { pending } = publication;
  return pending === null || nowMs < pending.dueMs ? publication : { current: pending.content, pending: null };
}

/** Whether what will be published has other tables than what is. */
export function tableIsPending(publication: Publication | undefined): boolean {
  const { current, pending } = publication ?? { current: null, pending: null };
  return current !== null && pending !== null && pending.content.tables.map(({ version }) => version).join() !== current.tables.map(({ version }) => version).join();
}
