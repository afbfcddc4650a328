import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the programs of one private machine read from `settings.json` in its folder; its program adds its own. */
export interface MachineSettings {
  /** Also of its directory in each cgroup hierarchy. */
  readonly name: string;
  readonly folder: string;
  /** Path of the program that runs as the first in there, called with the folder. */
  readonly program: string;
  /** Variables of every command that is run in there. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folders before the others on its PATH. */
  readonly path: readonly string[];
}

/** What the program says: one line on standard output, as JSON. */
export type MachineMessage =
  | { readonly type: 'step'; readonly text: string; readonly seconds: number }
  | { readonly type: 'ready' }
  /** Before `ready` the start failed; after it a server ended by itself. */
  | { readonly type: 'failed'; readonly why: string };

export const settingsFile = (folder: string): string => join(folder, 'settings.json');
export const logFile = (folder: string, server: string): string => join(folder, 'log', `${server}.log`);
/** Holds the number, outside of the namespaces, of the process that holds them open. */
export const namespacesFile = (folder: string): string => join(folder, 'namespaces.pid');

/** Throws where the folder is no machine's. */
export function readMachineSettings<Settings extends MachineSettings>(folder: string): Settings {
  return JSON.parse(readFileSync(settingsFile(folder), 'utf8')) as Settings;
}
