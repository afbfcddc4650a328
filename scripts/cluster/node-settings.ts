import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Places } from './node-servers.ts';

/** What the programs of one cluster read from `settings.json` in its folder. */
export interface NodeSettings extends Places {
  /** Name of the cluster, and of its directory in each cgroup hierarchy. */
  readonly name: string;
  /** Archives for `ctr images import`. */
  readonly images: readonly string[];
}

/** One line on standard output, as JSON. */
export type NodeMessage =
  | { readonly type: 'step'; readonly text: string; readonly seconds: number }
  | { readonly type: 'ready' }
  /** Before `ready` the start failed; after it a server ended by itself. */
  | { readonly type: 'failed'; readonly why: string };

export const settingsFile = (folder: string): string => join(folder, 'settings.json');
export const logFile = (folder: string, server: string): string => join(folder, 'log', `${server}.log`);
/** Holds the number, outside of the namespaces, of the process that holds them open. */
export const namespacesFile = (folder: string): string => join(folder, 'namespaces.pid');

export function readNodeSettings(folder: string): NodeSettings {
  return JSON.parse(readFileSync(settingsFile(folder), 'utf8')) as NodeSettings;
}
