// The sidecar in a pod. `--port`, `--admin-port`, `--token-file` and `--bootstrap-folder` are for development: a pod has one place for each.
import { parseArgs } from 'node:util';
import { adminPort, applicationPort, sidecarFiles } from '@belay/contract';
import { runSidecar } from './shell/run-sidecar.ts';
import { systemClock, systemRandom, systemWallClock } from './shell/system-clock.ts';

const { env, stdout, stderr } = process;
// A reader of the log that leaves ends no request.
for (const stream of [stdout, stderr]) stream.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error; });

const { values } = parseArgs({ options: { 'port': { type: 'string' }, 'admin-port': { type: 'string' }, 'token-file': { type: 'string' }, 'bootstrap-folder': { type: 'string' } } });

const code = await runSidecar({
  environment: env,
  clock: systemClock,
  wallClock: systemWallClock,
  random: systemRandom,
  write: (text) => void stdout.write(text),
  complain: (text) => void stderr.write(`${text}\n`),
  onSignal: (callback) => (['SIGTERM', 'SIGINT'] as const).forEach((signal) => process.on(signal, callback)),
}, {
  port: Number(values.port ?? applicationPort),
  adminPort: Number(values['admin-port'] ?? adminPort),
  files: { token: values['token-file'] ?? sidecarFiles.token, bootstrap: values['bootstrap-folder'] ?? sidecarFiles.bootstrap },
});
process.exit(code);
