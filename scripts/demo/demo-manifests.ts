import { basename } from 'node:path';
import { smallModelPackage } from '@belay/cli/local-tier/llama-package.ts';

/** Where the demo's parts are reached, and whether a real provider stands first. */
export interface DemoParts {
  readonly eastOrigin: string;
  readonly westOrigin: string;
  /** File of the local model, below --model-dir. */
  readonly modelFile: string;
  /** OPENAI_API_KEY is set. */
  readonly realProvider: boolean;
}

/** The local target of every chain. */
export const localTarget = 'on-this-machine';
/** The chain that asks the real provider first. */
export const realChain = 'openai-first';

/** Name of the model's file: what BELAY_MODEL names, else the small model that the set-up fetches. */
export function localModelFile(env: NodeJS.ProcessEnv): string {
  return basename(env['BELAY_MODEL'] ?? smallModelPackage.file);
}

/** The manifests of the demo by file name: what a person would write, and what it serves. */
export function demoManifests({ eastOrigin, westOrigin, modelFile, realProvider }: DemoParts): { readonly [file: string]: string } {
  const cloud = (name: string, origin: string): string => `apiVersion: belay.dev/v1alpha1
kind: ModelProvider
metadata: { name: ${name} }
spec: { dialect: OpenAI, baseURL: "${origin}/v1" }
`;
  return {
    'chains.yaml': [chain('chat', '  latencyBudget: 1s\n', []), chain('chat-race', '  fallbackMode: Race\n  latencyBudget: 1s\n  race: { extraRequests: 50% }\n', [])].join('---\n'),
    'providers.yaml': [cloud('east', eastOrigin), cloud('west', westOrigin), `apiVersion: belay.dev/v1alpha1
kind: ModelProvider
metadata: { name: ${localTarget} }
spec:
  local:
    engine: LlamaCpp
    model: { persistentVolumeClaim: { claimName: models, path: ${modelFile} } }
    contextTokens: 1024
    parallel: 1
`].join('---\n'),
    ...(realProvider ? { 'openai.yaml': openai } : {}),
  };
}

function chain(name: string, settings: string, before: readonly string[]): string {
  const targets = [...before, '{ providerRef: { name: east }, model: aurora-large }', '{ providerRef: { name: west }, model: dusk-large }', `{ providerRef: { name: ${localTarget} }, model: smollm2-135m }`];
  return `apiVersion: belay.dev/v1alpha1
kind: FallbackChain
metadata: { name: ${name} }
spec:
  modelNames: [${name}]
${settings}  targets:
${targets.map((target) => `  - ${target}\n`).join('')}`;
}

const openai = `apiVersion: belay.dev/v1alpha1
kind: ModelProvider
metadata: { name: openai }
spec:
  preset: OpenAI
  credentials: { secretKeyRef: { name: openai, key: apiKey } }   # read from OPENAI_API_KEY
---
${chain(realChain, '', ['{ providerRef: { name: openai }, model: gpt-4o-mini }'])}`;
