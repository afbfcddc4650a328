import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadedManifests, LoadRequest } from './load-manifests.ts';

/**
 * `loadManifests` in a process of its own. The YAML parser, ajv and the CEL evaluator cost 22 MiB that neither unloading
 * nor a worker thread gives back, and 0.2 s of work that would hold up every request under way at a reload.
 * Rejects only where that process cannot run or breaks.
 */
export async function loadManifestsApart(request: LoadRequest, env: NodeJS.ProcessEnv): Promise<LoadedManifests> {
  const source = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(source ? './load-manifests-process.ts' : './load-manifests-process.mjs', import.meta.url));
  const child = spawn(process.execPath, [...(source ? ['--disable-warning=ExperimentalWarning'] : []), entry], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === 0 ? '' : signal === null ? `exit code ${code}` : signal));
  });
  child.stdin.on('error', () => child.kill()); // a process that is gone is told of by its end
  child.stdin.end(JSON.stringify(request));
  const [answer, complaint, fault] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
  if (fault !== '') throw new Error(`the process that checks the manifests broke off (${fault}): ${complaint.trim()}`);
  return JSON.parse(answer) as LoadedManifests;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  stream.setEncoding('utf8');
  let text = '';
  for await (const part of stream) text += part;
  return text;
}
