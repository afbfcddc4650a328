// A load generator as a process of its own: one job over IPC, one result back.
import { Agent, request, type RequestOptions } from 'node:http';
import type { LoadJob, LoadResult, Quantiles } from './load-job.ts';
import { chunksPerStream, nowMicros, stampPattern } from './upstream-mode.ts';

interface Sample {
  readonly ms: number;
  readonly good: boolean;
  readonly error: string | null;
  readonly firstContentMs: number | null;
  readonly delays: readonly number[];
}

process.on('message', (job: LoadJob) => {
  void run(job).then((result) => process.send?.(result, () => process.exit(0)));
});
process.send?.({ type: 'ready' });

async function run(job: LoadJob): Promise<LoadResult> {
  const ask = askerOf(job);
  for (let warm = 0; warm < job.warmUp; warm++) await ask(performance.now());
  const started = performance.now();
  const samples = job.arrival.kind === 'open' ? await open(ask, job.arrival.perSecond, job.seconds) : await closed(ask, job.arrival.atOnce, job.seconds);
  const good = samples.filter((sample) => sample.good);
  return {
    sent: samples.length, good: good.length, seconds: (performance.now() - started) / 1_000,
    firstError: samples.find((sample) => !sample.good)?.error ?? null,
    latencyMs: quantiles(good.map(({ ms }) => ms)),
    firstContentMs: quantiles(good.flatMap(({ firstContentMs }) => firstContentMs ?? [])),
    chunkDelayMicros: quantiles(good.flatMap(({ delays }) => delays)),
  };
}

type Ask = (fromMs: number) => Promise<Sample>;

async function open(ask: Ask, perSecond: number, seconds: number): Promise<readonly Sample[]> {
  const startMs = performance.now() + 20;
  const all: Promise<Sample>[] = [];
  for (let index = 0; index < perSecond * seconds; index++) {
    const dueMs = startMs + (index * 1_000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs - 0.5));
    while (performance.now() < dueMs) await new Promise((resolve) => setImmediate(resolve));
    all.push(ask(dueMs));
  }
  return Promise.all(all);
}

async function closed(ask: Ask, atOnce: number, seconds: number): Promise<readonly Sample[]> {
  const untilMs = performance.now() + seconds * 1_000;
  const all: Sample[] = [];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (performance.now() < untilMs) all.push(await ask(performance.now()));
  }));
  return all;
}

function askerOf({ url, model, stream }: LoadJob): Ask {
  const { hostname: host, port, pathname: path } = new URL(url);
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Say something about gateways.' }] });
  const options: RequestOptions = {
    host, port, path, method: 'POST', agent: new Agent({ keepAlive: true, scheduling: 'lifo' }),
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  };
  return (fromMs) => new Promise((resolve) => {
    const reading = { chunks: 0, bytes: 0, firstContentMs: null as number | null, delays: [] as number[], tail: '' };
    const end = (good: boolean, error: string | null): void => resolve({ ms: performance.now() - fromMs, good, error, firstContentMs: reading.firstContentMs, delays: reading.delays });
    const sent = request(options, (answer) => {
      answer.on('data', (part: Buffer) => {
        reading.bytes += part.length;
        if (stream) readChunks(reading, part.toString('latin1'), fromMs);
      });
      answer.on('end', () => {
        const good = answer.statusCode === 200 && answer.complete && (stream ? reading.chunks === chunksPerStream : reading.bytes > 0);
        end(good, good ? null : `status ${answer.statusCode}, ${reading.chunks} chunks, ${reading.bytes} bytes`);
      });
      answer.on('error', (error) => end(false, error.message));
    });
    sent.on('error', (error) => end(false, error.message));
    sent.setTimeout(30_000, () => sent.destroy(new Error('nothing came for 30 s')));
    sent.end(body);
  });
}

function readChunks(reading: { chunks: number; firstContentMs: number | null; delays: number[]; tail: string }, part: string, fromMs: number): void {
  const at = nowMicros();
  const text = reading.tail + part;
  let readTo = 0;
  for (const stamp of text.matchAll(stampPattern)) {
    reading.chunks++;
    reading.firstContentMs ??= performance.now() - fromMs;
    reading.delays.push(at - Number(stamp[3]));
    readTo = stamp.index + stamp[0].length;
  }
  reading.tail = text.slice(Math.max(readTo, text.length - 100));
}

function quantiles(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
