import type { ModelProvider } from '../resources/model-provider.ts';
import { byName } from './by-name.ts';
import { compileProvider } from './compile-provider.ts';
import { sharedProviders } from './foreign-providers.ts';
import { presetNamed } from './presets.ts';
import type { CompileTools, Snapshot } from './snapshot.ts';

/** The key that one provider's requests carry: where it is kept, and where alone it may be sent. */
export interface RequiredKey {
  /** As the table names it. */
  readonly provider: string;
  /** The provider's own: its Secret is read there, whoever uses the provider. */
  readonly namespace: string;
  readonly secretName: string;
  readonly secretKey: string;
  /** `https://host`, with the port where it is not the scheme's own: what `new URL(address).origin` says. */
  readonly origin: string;
  /** Where the preset's own SDK keeps the key, such as OPENAI_API_KEY; null: no preset, or none is usual. */
  readonly keyVariable: string | null;
}

/**
 * Every provider that names credentials and can be used: the namespace's own, then those of others that its chains refer to and may use. It
 * looks at no Secret, so that it can say which to read.
 */
export function requiredKeys(snapshot: Snapshot, tools: CompileTools): readonly RequiredKey[] {
  const own = byName<ModelProvider>('ModelProvider', snapshot.providers).map((resource) => ({ namespace: snapshot.namespace, resource }));
  const shared = [...sharedProviders(snapshot).values()].filter(({ permitted }) => permitted);
  return [...own, ...shared].flatMap(({ namespace, resource }) => {
    const { credentials, preset } = resource.spec;
    const { entry, origin } = compileProvider(resource, namespace, snapshot, tools);
    if (credentials === undefined || entry === null || origin === null) return [];
    const { name, key } = credentials.secretKeyRef;
    return [{ provider: entry.name, namespace, secretName: name, secretKey: key, origin, keyVariable: preset === undefined ? null : (presetNamed(preset)?.keyVariable ?? null) }];
  });
}
