import { groupVersion } from '@belay/contract';
import { presets, type PresetName } from '@belay/operator/core/compile/presets.ts';

/** Targets that a chain may have. */
const mostTargets = 8;

/** A model of each hosted preset to start with, in the order in which a starter chain tries them. */
const starterModels: { readonly [name in PresetName]?: string } = {
  OpenAI: 'gpt-4o',
  XAI: 'grok-4-1-fast-non-reasoning',
  Mistral: 'mistral-small-latest',
  DeepSeek: 'deepseek-chat',
  Groq: 'llama-3.3-70b-versatile',
  Together: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  Cerebras: 'gpt-oss-120b',
  OpenRouter: 'openai/gpt-oss-120b',
  Fireworks: 'accounts/fireworks/models/llama-v3p3-70b-instruct',
};

interface Starter {
  readonly preset: PresetName;
  readonly model: string;
  readonly keyVariable: string;
}

/** Manifests of one chain, `chat`, over the providers whose usual key variable is set; null where none is. */
export function starterManifests(env: NodeJS.ProcessEnv): string | null {
  const starters = allStarters().filter(({ keyVariable }) => (env[keyVariable] ?? '').trim() !== '').slice(0, mostTargets);
  if (starters.length === 0) return null;
  const targets = starters.map(({ preset, model }) => `  - { providerRef: { name: ${nameOf(preset)} }, model: ${model} }`);
  return [chainHead, ...targets, ...starters.map(providerOf)].join('\n') + '\n';
}

/** The variables that `starterManifests` looks at, in its order. */
export function starterVariables(): readonly string[] {
  return allStarters().map(({ keyVariable }) => keyVariable);
}

const chainHead = `apiVersion: ${groupVersion}
kind: FallbackChain
metadata: { name: chat }
spec:
  targets:`;

function providerOf({ preset, keyVariable }: Starter): string {
  const name = nameOf(preset);
  return `---
apiVersion: ${groupVersion}
kind: ModelProvider
metadata: { name: ${name} }
spec:
  preset: ${preset}
  credentials:
    secretKeyRef: { name: ${name}, key: apiKey }   # without this Secret, belay run reads ${keyVariable}`;
}

function allStarters(): readonly Starter[] {
  return (Object.entries(starterModels) as readonly (readonly [PresetName, string])[]).flatMap(([preset, model]) => {
    const { keyVariable } = presets[preset];
    return keyVariable === null ? [] : [{ preset, model, keyVariable }];
  });
}

function nameOf(preset: PresetName): string {
  return preset.toLowerCase();
}
