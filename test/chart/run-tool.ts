import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { belayCache } from '../../scripts/belay-cache.ts';
import { MissingPart } from '../../scripts/missing-part.ts';

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm or kubectl of the set-up; never rejects because of what the tool answers. */
export function runTool(tool: 'helm' | 'kubectl', args: readonly string[], options: { readonly stdin?: string; readonly kubeconfig?: string } = {}): Promise<ToolResult> {
  const command = belayCache('kubernetes', 'bin', tool);
  if (!existsSync(command)) throw new MissingPart(`${tool} is not in the cache: npm run setup fetches it.`);
  // No kubeconfig of the machine's own is ever taken by mistake.
  const env = { ...process.env, KUBECONFIG: options.kubeconfig ?? '/dev/null', HELM_NO_PLUGINS: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => { texts[stream] += text; });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, ...texts }));
    child.stdin.end(options.stdin ?? '');
  });
}
