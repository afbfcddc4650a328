// Keeps one private machine: makes its namespaces, ends them when standard input closes (also because whoever started
// this was killed), and removes what they leave. Should this process itself be killed, all in there ends all the same,
// and the next start removes its files and cgroups.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCgroup } from './cgroups.ts';
import { processStarted, removeMachine, writeMachineRecord } from './machine-records.ts';
import { logFile, namespacesFile, readMachineSettings } from './machine-settings.ts';

const folder = process.argv[2] ?? '';
const { name, program } = readMachineSettings(folder);
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder, LANG: 'C' };

await writeMachineRecord({ name, folder, keeper: process.pid, keeperStarted: processStarted(process.pid) });
createCgroup(name);
mkdirSync(dirname(logFile(folder, 'machine')), { recursive: true });

// The first process of the namespace is a shell: it reaps what containers leave behind, which Node does not.
// It gives its child the standard input that a shell takes from what runs in the background.
const shell = 'exec 3<&0; "$@" <&3 3<&- & wait $!';
const namespaces = spawn('unshare', [
  '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private',
  'sh', '-c', shell, 'sh', process.execPath, '--disable-warning=ExperimentalWarning', program, folder,
], { env: environment, stdio: ['pipe', 'inherit', openSync(logFile(folder, 'machine'), 'a')] });
const ended = new Promise<void>((resolve) => {
  namespaces.once('exit', () => resolve());
  namespaces.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    resolve();
  });
});
process.stdout.on('error', stop);
namespaces.stdin?.on('error', stop);
process.stdin.resume().once('close', stop).once('error', stop);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);
void ended.then(() => removeMachine({ name, folder })).then(() => process.exit(0), (error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
await noteNamespaces();

/** Nothing in there is worth a slow stop. */
function stop(): void {
  const first = firstProcess();
  if (first === null) namespaces.kill('SIGKILL');
  else process.kill(first, 'SIGKILL');
}

/** The child of `unshare`: with it, all processes in the namespace end. */
function firstProcess(): number | null {
  const { pid } = namespaces;
  if (pid === undefined || namespaces.exitCode !== null || namespaces.signalCode !== null) return null;
  const children = readFileSync(join('/proc', String(pid), 'task', String(pid), 'children'), 'utf8').trim();
  return children === '' ? null : Number(children.split(' ')[0]);
}

async function noteNamespaces(): Promise<void> {
  let first = firstProcess();
  for (; first === null && namespaces.exitCode === null && namespaces.signalCode === null; first = firstProcess()) await sleep(5);
  if (first !== null) writeFileSync(namespacesFile(folder), `${first}\n`);
}
