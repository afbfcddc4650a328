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
 * that are fetched once into the cache. Never throws: where it cannot be had, `missing` says why and what would help.
 */
export async function ensureLlama({ env = process.env, log = () => {}, platform = `${process.platform}-${process.arch}`, fetch = fetchWheel }: EnsureLlamaOptions = {}): Promise<Llama | LlamaMissing> {
  const named = namedFiles(env);
  if ('missing' in named) return named;
  const server = named.server ?? join(carrierFolder(llamaServerPackage, env), llamaServerPackage.file);
  const model = named.model ?? join(carrierFolder(smallModelPackage, env), smallModelPackage.file);
  if (named.server === null && platform !== 'linux-x64') {
    return { missing: `no llama-server is packaged for ${platform}: set BELAY_LLAMA_SERVER to a llama-server of your own, and BELAY_MODEL to a GGUF file if the small default model will not do` };
  }
  try {
    await Promise.all([
      named.server ?? fetchOnce(llamaServerPackage, env, fetch, log),
      named.model ?? fetchOnce(smallModelPackage, env, fetch, log),
    ]);
  } catch (error) {
    return { missing: `llama.cpp could not be set up: ${lastLine((error as Error).message)}; set BELAY_LLAMA_SERVER to a llama-server and BELAY_MODEL to a GGUF file to use your own` };
  }
  if ((statSync(server).mode & 0o100) === 0) chmodSync(server, 0o755);
  return { server, modelDir: dirname(model), modelFile: basename(model) };
}

function namedFiles(env: NodeJS.ProcessEnv): { readonly server: string | null; readonly model: string | null } | LlamaMissing {
  const files = { server: env['BELAY_LLAMA_SERVER'] ?? null, model: env['BELAY_MODEL'] ?? null };
  if (files.server !== null && !existsSync(files.server)) return { missing: `BELAY_LLAMA_SERVER names ${files.server}, which is not there: set it to a llama-server` };
  if (files.model !== null && !existsSync(files.model)) return { missing: `BELAY_MODEL names ${files.model}, which is not there: set it to a GGUF file` };
  return files;
}

async function fetchOnce(carrier: typeof llamaServerPackage, env: NodeJS.ProcessEnv, fetch: typeof fetchWheel, log: (line: string) => void): Promise<void> {
  const folder = carrierFolder(carrier, env);
  if (existsSync(join(folder, carrier.file))) return;
  log(`Fetching ${carrier.name} ${carrier.version} into the cache …`);
  await fetch(carrier, folder, log);
  if (!existsSync(join(folder, carrier.file))) throw new Error(`${carrier.name} ${carrier.version} does not hold ${carrier.file}`);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
