import { spawn } from 'node:child_process';
import { ensureHelm, ensureKubectl } from '../../scripts/kubernetes/ensure-kubectl.ts';

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm or kubectl of the set-up; never rejects because of what the tool answers. */
export function runTool(tool: 'helm' | 'kubectl', args: readonly string[], { stdin, kubeconfig = '/dev/null' }: { readonly stdin?: string; readonly kubeconfig?: string } = {}): Promise<ToolResult> {
  const command = (tool === 'helm' ? ensureHelm : ensureKubectl)(() => {});
  // No kubeconfig of the machine's own is ever taken by mistake.
  return runProcess(command, args, { ...process.env, KUBECONFIG: kubeconfig, HELM_NO_PLUGINS: '1' }, stdin);
}

/** Runs a program to its end. */
export function runProcess(command: string, args: readonly string[], env: NodeJS.ProcessEnv, stdin = ''): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => { texts[stream] += text; });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, ...texts }));
    child.stdin.end(stdin);
  });
}
