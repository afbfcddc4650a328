import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { configurationFromJSON } from './configuration-json.ts';
import type { LoadedConfiguration } from './configuration.ts';
import type { ConfigurationSource } from './load-configuration.ts';

/** Beside this file, or in its place in the bundle. */
const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './load-child.ts' : './belay-load.mjs', import.meta.url));

/**
 * `loadConfiguration` in a process that ends with it: the YAML reader, the schema validator and the CEL evaluator take
 * 24 MiB that a process which serves for weeks would never give back. Rejects where that process itself fails.
 */
export function loadInChild(source: ConfigurationSource, env: NodeJS.ProcessEnv): Promise<LoadedConfiguration> {
  return new Promise((resolve, reject) => {
    const input = source.paths.includes('-') ? 'inherit' : 'ignore';
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, JSON.stringify(source)], { env, stdio: [input, 'pipe', 'inherit'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(configurationFromJSON(Buffer.concat(parts).toString()));
      else reject(new Error(`the process that reads the manifests ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
