import type { Cancellation, Dialect } from '@belay/contract';
import type { ModelProviderSpec } from '../resources/model-provider.ts';

export type PresetName = NonNullable<ModelProviderSpec['preset']>;

/** What naming a provider settles; every field of it can be overridden in the manifest. */
export interface Preset {
  readonly dialect: Dialect;
  /** null: it runs at an address of its user's own, which the manifest gives. */
  readonly baseURL: string | null;
  /**
   * What an aborted stream costs: OpenRouter's documentation, "Stream cancellation", lists by provider; llama.cpp was measured (a closed stream
   * frees its slot in 17 ms). Unknown where neither says.
   */
  readonly cancellation: Cancellation;
  /** Environment variable in which the provider's own SDK or documentation keeps the key; null: usually none. */
  readonly keyVariable: string | null;
  /** The provider's own address answers nobody without a key. */
  readonly needsKey: boolean;
}

/** By the names of the CRD's enum. */
export const presets: { readonly [name in PresetName]: Preset } = {
  OpenAI: hosted('https://api.openai.com/v1', 'StopsBilling', 'OPENAI_API_KEY'),
  Groq: hosted('https://api.groq.com/openai/v1', 'RunsOn', 'GROQ_API_KEY'),
  DeepSeek: hosted('https://api.deepseek.com/v1', 'StopsBilling', 'DEEPSEEK_API_KEY'),
  Mistral: hosted('https://api.mistral.ai/v1', 'RunsOn', 'MISTRAL_API_KEY'),
  Together: hosted('https://api.together.xyz/v1', 'StopsBilling', 'TOGETHER_API_KEY'),
  Fireworks: hosted('https://api.fireworks.ai/inference/v1', 'StopsBilling', 'FIREWORKS_API_KEY'),
  XAI: hosted('https://api.x.ai/v1', 'StopsBilling', 'XAI_API_KEY'),
  OpenRouter: hosted('https://openrouter.ai/api/v1', 'Unknown', 'OPENROUTER_API_KEY'),
  Cerebras: hosted('https://api.cerebras.ai/v1', 'Unknown', 'CEREBRAS_API_KEY'),
  Ollama: selfHosted('Unknown'),
  VLLM: selfHosted('Unknown'),
  LlamaCpp: selfHosted('StopsBilling'),
};

/** The preset of that name; null where this release knows none. */
export function presetNamed(name: string): Preset | null {
  return Object.hasOwn(presets, name) ? presets[name as PresetName] : null;
}

function hosted(baseURL: string, cancellation: Cancellation, keyVariable: string): Preset {
  return { dialect: 'OpenAI', baseURL, cancellation, keyVariable, needsKey: true };
}

function selfHosted(cancellation: Cancellation): Preset {
  return { dialect: 'OpenAI', baseURL: null, cancellation, keyVariable: null, needsKey: false };
}
