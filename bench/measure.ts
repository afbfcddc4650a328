import type { ChildProcess } from 'node:child_process';
import { askOnce, type Asked } from './ask-once.ts';
import type { LoadJob, LoadResult } from './load-job.ts';
import { endProcess, nextMessage, nodeArguments, startProcess, usageOf } from './processes.ts';
import { startTarget, type RunningTarget, type TargetName } from './targets.ts';
import { chunksPerStream, type UpstreamMode, type UpstreamName, type UpstreamPorts } from './upstream-mode.ts';

/** The upstreams' process. */
export interface Upstreams {
  readonly ports: UpstreamPorts;
  behave(name: UpstreamName, mode: UpstreamMode): Promise<void>;
  close(): Promise<void>;
}

export async function startUpstreams(): Promise<Upstreams> {
  const child = startProcess('around', nodeArguments('./upstream.ts'), { ipc: true });
  child.stderr?.pipe(process.stderr);
  const { ports } = await nextMessage<{ readonly ports: UpstreamPorts }>(child);
  return {
    ports,
    behave: async (name, mode) => {
      child.send({ name, mode });
      await nextMessage(child);
    },
    close: () => endProcess(child),
  };
}

/** Lengths of the loads, in seconds. */
export interface Pace {
  readonly open: number;
  readonly closed: number;
}

/** Figures of one target in one round; null: there is no process to measure, or nothing to measure there. */
export interface Speed {
  readonly startMs: number | null;
  readonly idleRssMiB: number | null;
  readonly idleAnonymousMiB: number | null;
  readonly loadedRssMiB: number | null;
  readonly loadedAnonymousMiB: number | null;
  readonly unary: LoadResult;
  readonly streamed: LoadResult;
  readonly cpuMicrosPerRequest: number | null;
  readonly cpuMicrosPerChunk: number | null;
  readonly requestsPerSecond: number;
  /** Answers that were not whole, over all loads. */
  readonly lost: number;
}

export async function measureSpeed(name: TargetName, upstreams: Upstreams, pace: Pace): Promise<Speed> {
  await upstreams.behave('primary', { kind: 'well' });
  const target = await startTarget(name, upstreams.ports);
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const idle = target.pid === null ? null : usageOf(target.pid);
    await load(target, { stream: false, seconds: 2, arrival: { kind: 'closed', atOnce: 8 } });
    const unary = await load(target, { stream: false, seconds: pace.open, arrival: { kind: 'open', perSecond: 25 } });
    await upstreams.behave('primary', { kind: 'well', firstMs: 20, everyMs: 5 });
    const streamed = await load(target, { stream: true, seconds: pace.open, arrival: { kind: 'open', perSecond: 6 } });
    await upstreams.behave('primary', { kind: 'well' });
    const busy = await loadAndWatch(target, { stream: false, seconds: pace.closed, arrival: { kind: 'closed', atOnce: 32 } });
    // Each chunk is a read and a write of its own, as tokens are.
    await upstreams.behave('primary', { kind: 'well', everyMs: 10 });
    const chunked = await loadAndWatch(target, { stream: true, seconds: pace.closed, arrival: { kind: 'closed', atOnce: 40 } });
    return {
      startMs: target.startMs, idleRssMiB: idle?.rssMiB ?? null, idleAnonymousMiB: idle?.anonymousMiB ?? null,
      loadedRssMiB: largest(busy.rssMiB, chunked.rssMiB), loadedAnonymousMiB: largest(busy.anonymousMiB, chunked.anonymousMiB),
      unary, streamed,
      cpuMicrosPerRequest: per(busy.cpuSeconds, busy.result.good), cpuMicrosPerChunk: per(chunked.cpuSeconds, chunked.result.good * chunksPerStream),
      requestsPerSecond: busy.result.good / busy.result.seconds,
      lost: [unary, streamed, busy.result, chunked.result].reduce((sum, { sent, good }) => sum + sent - good, 0),
    };
  } finally {
    await target.close();
  }
}

function per(cpuSeconds: number | null, count: number): number | null {
  return cpuSeconds === null || count === 0 ? null : (cpuSeconds * 1_000_000) / count;
}

function largest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

interface Watched {
  readonly result: LoadResult;
  readonly cpuSeconds: number | null;
  readonly rssMiB: number | null;
  readonly anonymousMiB: number | null;
}

async function loadAndWatch(target: RunningTarget, job: Omit<LoadJob, 'url' | 'model' | 'warmUp'>): Promise<Watched> {
  const { pid } = target;
  if (pid === null) return { result: await load(target, job), cpuSeconds: null, rssMiB: null, anonymousMiB: null };
  const before = usageOf(pid);
  const peak = { rssMiB: before.rssMiB, anonymousMiB: before.anonymousMiB };
  const look = (): void => {
    const now = usageOf(pid);
    peak.rssMiB = Math.max(peak.rssMiB, now.rssMiB);
    peak.anonymousMiB = Math.max(peak.anonymousMiB, now.anonymousMiB);
  };
  const ticker = setInterval(look, 250);
  const result = await load(target, job);
  clearInterval(ticker);
  look();
  return { result, cpuSeconds: usageOf(pid).cpuSeconds - before.cpuSeconds, ...peak };
}

async function load({ url, model }: RunningTarget, job: Omit<LoadJob, 'url' | 'model' | 'warmUp'>): Promise<LoadResult> {
  const child: ChildProcess = startProcess('around', nodeArguments('./load.ts'), { ipc: true });
  child.stderr?.pipe(process.stderr);
  await nextMessage(child);
  child.send({ url, model, warmUp: 5, ...job } satisfies LoadJob);
  return nextMessage<LoadResult>(child);
}

/** Ways in which the primary fails, as rows of a table. */
export const failovers: { readonly [name: string]: UpstreamMode } = {
  refused: { kind: 'refuses' },
  'status 500': { kind: 'status', status: 500 },
  'status 503': { kind: 'status', status: 503 },
  'status 429, Retry-After: 2': { kind: 'status', status: 429, retryAfterSeconds: 2 },
  'silence before headers': { kind: 'silent' },
  'headers, then silence': { kind: 'headers-then-silent' },
  'role frame, then silence': { kind: 'role-then-silent' },
  'reset after 8 chunks': { kind: 'cut' },
};

export interface Failover {
  /** The first request after the fault began. */
  readonly first: Asked;
  /** Those after it, while the fault lasts. */
  readonly later: readonly Asked[];
  /** From the end of the fault to the first answer by the primary; null: none within 40 s. */
  readonly backMs: number | null;
}

/** Streamed requests, one after the other, through each fault. */
export async function measureFailover(name: TargetName, upstreams: Upstreams): Promise<{ readonly [fault: string]: Failover }> {
  await upstreams.behave('primary', { kind: 'well' });
  const target = await startTarget(name, upstreams.ports);
  const ask = (): Promise<Asked> => askOnce(target.url, target.model, { stream: true, limitMs: 8_000 });
  const measured: { [fault: string]: Failover } = {};
  try {
    for (let warm = 0; warm < 20; warm++) await ask();
    for (const [fault, mode] of Object.entries(failovers)) {
      await untilPrimary(ask);
      await upstreams.behave('primary', mode);
      const first = await ask();
      const later: Asked[] = [];
      for (let again = 0; again < 4 && mode.kind !== 'cut'; again++) later.push(await ask());
      await upstreams.behave('primary', { kind: 'well' });
      measured[fault] = { first, later, backMs: await untilPrimary(ask) };
    }
    return measured;
  } finally {
    await target.close();
  }
}

async function untilPrimary(ask: () => Promise<Asked>): Promise<number | null> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < 40_000) {
    const { whole, by } = await ask();
    if (whole && by === 'primary') return performance.now() - startedMs;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return null;
}
