import type { MachineSettings } from '../machine/machine-settings.ts';
import type { Places } from './node-servers.ts';

/** What the program of a node cluster reads. */
export interface NodeSettings extends MachineSettings, Places {
  /** Archives for `ctr images import`. */
  readonly images: readonly string[];
}
