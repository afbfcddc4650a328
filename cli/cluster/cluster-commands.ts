import type { Command } from 'commander';
import { terminalOutput } from '../output/command-output.ts';
import type { RawStatusOptions } from '../status/status-command.ts';
import type { RawWhyOptions } from '../why/why-command.ts';

/** Adds the commands that ask a cluster; `done` gets the exit code. What they need is loaded when one of them runs. */
export function addClusterCommands(program: Command, done: (exitCode: number) => void): void {
  program.command('status')
    .description('chains of a cluster: who serves, and what is wrong, in words')
    .option('-n, --namespace <name>', 'the namespace (default: the context\'s)')
    .option('-A, --all-namespaces', 'all namespaces')
    .option('-o, --output <form>', 'text, json or yaml', 'text')
    .option('--context <name>', 'the context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <path>', 'the kubeconfig (default: KUBECONFIG, else ~/.kube/config)')
    .action(async (options: RawStatusOptions) => {
      const [{ statusCommand }, { systemWallClock }] = await Promise.all([import('../status/status-command.ts'), import('@belay/operator/shell/system-clock.ts')]);
      done(await statusCommand(options, terminalOutput(), { env: process.env, wallClock: systemWallClock }));
    });

  program.command('why')
    .description('the decision of one request, from the pod that its id names')
    .argument('<id>', 'the value of x-belay-request-id, such as web-7d4b9c-x2x5k.17')
    .option('-n, --namespace <name>', 'the pod\'s namespace (default: the context\'s, then every other)')
    .option('-o, --output <form>', 'text, json or yaml', 'text')
    .option('--context <name>', 'the context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <path>', 'the kubeconfig (default: KUBECONFIG, else ~/.kube/config)')
    .option('--url <url>', 'ask this sidecar instead, such as that of belay run: http://127.0.0.1:7411')
    .action(async (id: string, options: RawWhyOptions) => {
      const [{ whyCommand }, { openCluster }, { systemClock }] = await Promise.all([import('../why/why-command.ts'), import('./open-cluster.ts'), import('@belay/operator/shell/system-clock.ts')]);
      done(await whyCommand(id, options, terminalOutput(), { clock: systemClock, openCluster: (cluster) => openCluster(cluster, process.env) }));
    });
}
