import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Screen } from '../demo/screen.ts';
import { manifests } from './demo-names.ts';

/** The manifests that are Belay's: what a person writes. */
export function showManifests(screen: Screen): void {
  for (const file of ['3-providers.yaml', '4-chain.yaml']) {
    screen.file(join(manifests, file), readFileSync(join(import.meta.dirname, '..', '..', manifests, file), 'utf8'));
  }
}
