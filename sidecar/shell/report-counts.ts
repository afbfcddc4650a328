import { encodeFrame, maxClientFrameLength, type ChainReport, type Decision, type FailureClass, type TargetReport } from '@belay/contract';

/** Counts of every chain since the process started (control-plane: status, from the sidecars' reports). */
export interface ReportCounts {
  /** A request is over. */
  requestEnded(decision: Decision): void;
  /** Of these chains, which are those that are served now; what was counted of others is forgotten. */
  report(chains: readonly ReportedChain[]): readonly ChainReport[];
}

/** A chain as it is served now. */
export interface ReportedChain {
  readonly name: string;
  readonly targets: readonly Pick<TargetReport, 'name' | 'breaker'>[];
}

interface ChainCounts {
  requests: number;
  failed: number;
  readonly targets: Map<string, TargetCounts>;
}

interface TargetCounts {
  served: number;
  attempts: number;
  failures: number;
  lastFailure: FailureClass | null;
  /** First contents of late, in milliseconds after the attempt's start. */
  readonly firstContents: number[];
  next: number;
}

/** First contents that a median is taken of. */
const samples = 64;

export function createReportCounts(): ReportCounts {
  const chains = new Map<string, ChainCounts>();
  return {
    requestEnded(decision) {
      const chain = valueOf(chains, decision.chain, newChain);
      chain.requests += 1;
      // A request that was the client's own fault says nothing about the chain.
      if (decision.outcome === 'Failed' && (decision.status >= 500 || decision.status === 429)) chain.failed += 1;
      countAttempts(chain, decision);
    },
    report(served) {
      const wanted = new Set(served.map(({ name }) => name));
      for (const name of chains.keys()) if (!wanted.has(name)) chains.delete(name);
      return withinFrame(served.map((chain) => reportOf(chain, chains.get(chain.name))));
    },
  };
}

function countAttempts(chain: ChainCounts, { target: winner, attempts }: Decision): void {
  for (const { target: name, outcome, failure, firstContentMs, startedMs } of attempts) {
    const target = valueOf(chain.targets, name, newTarget);
    target.attempts += 1;
    if (failure !== null && isOfTarget(failure.class) && (outcome === 'Failed' || outcome === 'Broken')) {
      target.failures += 1;
      target.lastFailure = failure.class;
    } else if (outcome === 'Ok') target.lastFailure = null;
    if (firstContentMs === null) continue;
    target.firstContents[target.next] = firstContentMs - startedMs;
    target.next = (target.next + 1) % samples;
  }
  const served = winner === null ? undefined : chain.targets.get(winner);
  if (served !== undefined) served.served += 1;
}

/** What a client did wrong, or did not wait for, is no failure of whom it asked. */
function isOfTarget(failure: FailureClass): boolean {
  return failure !== 'Client' && failure !== 'ClientGone';
}

function reportOf({ name, targets }: ReportedChain, { requests, failed, targets: counted }: ChainCounts = newChain()): ChainReport {
  return { name, requests, failed, targets: targets.map((target) => targetReport(target, counted.get(target.name))) };
}

function targetReport({ name, breaker }: ReportedChain['targets'][number], { served, attempts, failures, lastFailure, firstContents }: TargetCounts = newTarget()): TargetReport {
  return { name, served, attempts, failures, lastFailure, breaker, firstContentP50Ms: median(firstContents) };
}

function newChain(): ChainCounts {
  return { requests: 0, failed: 0, targets: new Map() };
}

function newTarget(): TargetCounts {
  return { served: 0, attempts: 0, failures: 0, lastFailure: null, firstContents: [], next: 0 };
}

function median(values: readonly number[]): number | null {
  const middle = [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  return middle === undefined ? null : Math.round(middle);
}

/** A distributor refuses a longer line: of hundreds of chains the busiest are told. */
function withinFrame(chains: readonly ChainReport[]): readonly ChainReport[] {
  let told = chains;
  while (told.length > 1 && encodeFrame({ frame: 'report', chains: told }).length > maxClientFrameLength) {
    told = [...told].sort((a, b) => b.requests - a.requests).slice(0, Math.floor(told.length / 2));
  }
  return told;
}

function valueOf<T>(map: Map<string, T>, name: string, create: () => T): T {
  const known = map.get(name);
  if (known !== undefined) return known;
  const created = create();
  map.set(name, created);
  return created;
}
