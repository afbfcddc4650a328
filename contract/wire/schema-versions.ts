import { schemaVersion } from '../routing-table.ts';

/** Schema versions of routing tables that a sidecar of this release reads: what its hello says. */
export const readableSchemaVersions: readonly number[] = [schemaVersion];
/**
 * Those that an operator of this release writes: its own, and those of the two minor releases before it. Fields alone never need a new version: a
 * reader ignores what it does not know and takes a missing field that may be null for null. Only where a field changes its meaning does the version
 * rise; the compiler then writes each version listed here from the same resources, and a chain that an older one cannot say travels in it as
 * `unroutable` with the reason, which `status.sidecars` counts. A version leaves this list two minor releases after the next one came.
 */
export const writableSchemaVersions: readonly number[] = [schemaVersion];

/** The newest that both know; null: there is none, and the sidecar serves on what it has. */
export function sharedSchemaVersion(readable: readonly number[], writable: readonly number[] = writableSchemaVersions): number | null {
  const shared = writable.filter((version) => readable.includes(version));
  return shared.length === 0 ? null : Math.max(...shared);
}
