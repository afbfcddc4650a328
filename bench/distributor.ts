// `npm run bench:distributor [-- --sidecars N] [--rate N]`: so many simulated sidecars on one distributor: all connect, one change is pushed and acked
// by all, all reconnect at once. Times are those of the sidecars, CPU and memory those of the distributor's process. Linux alone.
import { connect, type ClientHttp2Session } from 'node:http2';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { encodeFrame, frameReader, maxServerFrameLength, parseServerFrame, streamContentType, streamPath, type ReceivedSnapshot } from '@belay/contract';
import { testCa } from '../test/support/test-certificates.ts';
import { describePinning, endProcess, nextMessage, nodeArguments, startProcess, usageOf } from './processes.ts';

interface Sidecar {
  readonly pod: string;
  session: ClientHttp2Session | null;
  tries: number;
}

/** What the sidecars wait for together: each says once that it has acked a table. */
interface Phase {
  readonly tookMs: Map<string, number>;
  readonly done: (pod: string) => void;
  readonly all: Promise<void>;
}

const limitMs = 180_000;
const { values } = parseArgs({ options: { sidecars: { type: 'string', default: '1000' }, rate: { type: 'string', default: '200' } } });
const count = Number(values.sidecars);
const child = startProcess('measured', nodeArguments('./distributor-process.ts', values.rate), { ipc: true });
child.stderr?.pipe(process.stderr);
const { port } = await nextMessage<{ readonly port: number }>(child);
const pid = child.pid ?? 0;
const sidecars = Array.from({ length: count }, (_, n): Sidecar => ({ pod: `pod-${n}`, session: null, tries: 0 }));
let phase: Phase | null = null;
let tableBytes = 0;
let ending = false;

const rows = [`| | p50 ms | p99 ms | all ms | CPU s | RSS MiB |`, '| --- | --- | --- | --- | --- | --- |'];
rows.push(`| idle | - | - | - | - | ${usageOf(pid).rssMiB.toFixed(0)} |`);
try {
  await measure('connect, hello, all acked', () => sidecars.forEach(join));
  await measure('one change, all acked', () => void child.send('publish'));
  await measure('all reconnect, all acked', () => sidecars.forEach(({ session }) => session?.destroy()));
  console.log(`${count} sidecars, ${values.rate} new connections a second, a table of ${(tableBytes / 1_024).toFixed(1)} KiB. Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), load average ${(loadavg()[0] ?? 0).toFixed(1)}; ${describePinning()}.\n\n${rows.join('\n')}`);
} finally {
  ending = true;
  for (const { session } of sidecars) session?.destroy();
  await endProcess(child);
}

async function measure(name: string, start: () => void): Promise<void> {
  const before = usageOf(pid).cpuSeconds;
  const { tookMs, all } = phase = newPhase();
  start();
  await all;
  const { cpuSeconds, rssMiB } = usageOf(pid);
  const took = [...tookMs.values()].sort((a, b) => a - b);
  const at = (share: number): string => (took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0).toFixed(0);
  rows.push(`| ${name} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${(cpuSeconds - before).toFixed(2)} | ${rssMiB.toFixed(0)} |`);
}

function newPhase(): Phase {
  const startedMs = performance.now();
  const tookMs = new Map<string, number>();
  let tell = (): void => {};
  const all = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`after ${limitMs / 1_000} s ${tookMs.size} of ${count} sidecars had acked`)), limitMs);
    tell = () => { clearTimeout(late); resolve(); };
  });
  const done = (pod: string): void => {
    if (!tookMs.has(pod)) tookMs.set(pod, performance.now() - startedMs);
    if (tookMs.size === count) tell();
  };
  return { tookMs, done, all };
}

function join(sidecar: Sidecar): void {
  const { pod } = sidecar;
  const session = connect(`https://127.0.0.1:${port}`, { ca: testCa, servername: 'localhost' });
  sidecar.session = session;
  const stream = session.request({ ':method': 'POST', ':path': streamPath, 'content-type': streamContentType, authorization: `Bearer e30.${pod}.s` }, { endStream: false });
  const read = frameReader(parseServerFrame, maxServerFrameLength);
  session.on('error', () => undefined);
  stream.on('error', () => undefined);
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    sidecar.tries = 0;
    for (const frame of read(chunk)) if (frame.ok && frame.value.frame === 'snapshot') ack(frame.value);
  });
  stream.write(encodeFrame({ frame: 'hello', pod, uid: `uid-${pod}`, chains: ['*'], have: { endpoints: null, keys: null, hints: null, table: null }, protocol: 1, schemaVersions: [1] }));
  session.once('close', () => { if (!ending) setTimeout(() => join(sidecar), pauseMs(sidecar)); });

  function ack(snapshot: ReceivedSnapshot): void {
    stream.write(encodeFrame({ frame: 'ack', nonce: snapshot.nonce }));
    if (snapshot.type !== 'table') return;
    tableBytes = JSON.stringify(snapshot.data).length;
    phase?.done(pod);
  }
}

/** As a sidecar does: full jitter, 0.5 to 30 s. */
function pauseMs(sidecar: Sidecar): number {
  sidecar.tries += 1;
  return Math.random() * Math.min(30_000, 500 * 2 ** (sidecar.tries - 1));
}
