import type { ModelProvider } from '../resources/model-provider.ts';
import { byName } from './compile-namespace.ts';
import { compileProvider } from './compile-provider.ts';
import { presetNamed } from './presets.ts';
import type { CompileTools, Snapshot } from './snapshot.ts';

/** The key that one provider's requests carry: where it is kept, and where alone it may be sent. */
export interface RequiredKey {
  readonly provider: string;
  readonly secretName: string;
  readonly secretKey: string;
  /** `https://host`, with the port where it is not the scheme's own: what `new URL(address).origin` says. */
  readonly origin: string;
  /** Where the preset's own SDK keeps the key, such as OPENAI_API_KEY; null: no preset, or none is usual. */
  readonly keyVariable: string | null;
}

/** Every provider that names credentials and can be used, sorted by name. */
export function requiredKeys(snapshot: Snapshot, tools: CompileTools): readonly RequiredKey[] {
  return byName<ModelProvider>('ModelProvider', snapshot.providers).flatMap((resource) => {
    const { credentials, preset } = resource.spec;
    const { entry, origin } = compileProvider(resource, snapshot, tools);
    if (credentials === undefined || entry === null || origin === null) return [];
    const { name, key } = credentials.secretKeyRef;
    return [{ provider: entry.name, secretName: name, secretKey: key, origin, keyVariable: preset === undefined ? null : (presetNamed(preset)?.keyVariable ?? null) }];
  });
}
