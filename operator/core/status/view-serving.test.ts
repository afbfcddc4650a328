import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { failureClasses, type ChainEntry, type ChainReport, type FailureClass, type TargetReport } from '@belay/contract';
import { forgetSidecar, initialServing, noteReport, type Serving } from './serving.ts';
import { viewServing, type ServingContext, type ServingEvent } from './view-serving.ts';

const midnight = Date.parse('2026-11-24T00:00:00Z');
const at = (time: string) => Date.parse(`2026-11-24T${time}:00Z`);

/** What one sidecar's requests did between two reports. */
interface Interval {
  readonly [target: string]: { readonly served?: number; readonly failures?: number; readonly failure?: FailureClass; readonly breaker?: TargetReport['breaker'] };
}

/** Sidecars that report every 5 s, and the operator that looks after each report. The monotonic clock starts at 1,000,000. */
function fleet(names: readonly string[] = ['opus', 'gemini', 'local'], { context = {}, start = at('02:50') }: { readonly context?: ServingContext; readonly start?: number } = {}) {
  const entry = chainOf(names);
  let serving: Serving = initialServing();
  let nowMs = 1_000_000;
  const wallMs = () => start + nowMs - 1_000_000;
  const totals = new Map<string, ChainReport>();
  const events: ServingEvent[] = [];
  let text: string | null = null;

  const view = (more: ServingContext = {}) => {
    const seen = viewServing(serving, entry, nowMs, wallMs(), { ...context, ...more });
    serving = seen.next;
    events.push(...seen.events);
    text = seen.text;
    return seen;
  };
  const report = (uid: string, interval: Interval, unanswered = 0) => {
    const last = totals.get(uid) ?? { name: 'chat', requests: 0, failed: 0, targets: [] };
    const targets = names.map((name) => grown(last.targets.find((target) => target.name === name) ?? { ...nothing, name }, interval[name] ?? {}));
    const requests = last.requests + unanswered + names.reduce((sum, name) => sum + (interval[name]?.served ?? 0), 0);
    const next = { name: 'chat', requests, failed: last.failed + unanswered, targets };
    totals.set(uid, next);
    serving = noteReport(serving, { uid, chains: [next] }, nowMs);
  };
  const pass = (seconds: number) => void (nowMs += seconds * 1_000);
  return {
    view, report, pass, events, entry,
    text: () => text,
    /** Every sidecar does the same for that many reports; the operator looks after each. */
    run(uids: readonly string[], reports: number, interval: Interval, unanswered = 0) {
      for (let i = 0; i < reports; i += 1) {
        pass(5);
        for (const uid of uids) report(uid, interval, unanswered);
        view();
      }
    },
    restart(uid: string) {
      totals.delete(uid);
    },
    forget(uid: string) {
      serving = forgetSidecar(serving, uid);
    },
  };
}

const nothing: TargetReport = { name: '', served: 0, attempts: 0, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: null };

function grown(from: TargetReport, { served = 0, failures = 0, failure, breaker }: Interval[string]): TargetReport {
  return {
    name: from.name, served: from.served + served, attempts: from.attempts + served + failures, failures: from.failures + failures,
    lastFailure: failure ?? from.lastFailure, breaker: breaker ?? from.breaker, firstContentP50Ms: served > 0 ? 640 : null,
  };
}

const well: Interval = { opus: { served: 10, breaker: 'closed' } };
const overloaded: Interval = { opus: { failures: 1, failure: 'Overload', breaker: 'open' }, gemini: { served: 10 } };

test('nothing is said before the first requests', () => {
  const { view, report, pass } = fleet();
  report('a', {});
  expect(view()).toMatchObject({ text: null, events: [], targets: [{ name: 'opus', tier: 'Primary', health: 'Unknown' }, { health: 'Unknown' }, { health: 'Unknown' }] });
  pass(5);
  report('a', {});
  expect(view().text).toBeNull();
});

test('the first target answers: its name alone, and it is healthy', () => {
  const { run, view, text, events } = fleet();
  run(['a', 'b'], 4, well);
  expect(text()).toBe('opus');
  expect(events).toEqual([]);
  expect(view().targets).toEqual([
    { name: 'opus', tier: 'Primary', health: 'Healthy', successRate: '100%', firstContentP50Ms: 640 },
    { name: 'gemini', tier: 'InterProvider', health: 'Unknown' },
    { name: 'local', tier: 'Local', health: 'Unknown' },
  ]);
});

test('a fault shows within 15 s, with one Event that says who answers in its place, since when and why', () => {
  const { run, view, events, text } = fleet();
  run(['a', 'b'], 12, well);
  run(['a', 'b'], 2, overloaded);
  expect(text()).toBe('gemini 100% since 02:51 (opus: Overload)');
  expect(events).toEqual([{
    type: 'Warning', reason: 'FallbackActive',
    message: 'gemini answers requests to chain chat in place of opus since 02:51 UTC (100% of them so far). opus: Overload (it says that it is overloaded: see its status page; it is asked again by itself).',
  }]);
  expect(view().targets.map(({ name, health }) => [name, health])).toEqual([['opus', 'Unhealthy'], ['gemini', 'Healthy'], ['local', 'Unknown']]);
});

test('a fallback that goes on says it once, keeps since when, and its share follows', () => {
  const { run, events, text } = fleet();
  run(['a'], 12, well);
  run(['a'], 20, { opus: { served: 1, failures: 2, failure: 'Overload', breaker: 'open' }, gemini: { served: 15 } });
  expect(text()).toBe('gemini 94% since 02:51 (opus: Overload)');
  expect(events).toHaveLength(1);
});

test('a fallback of days says its date', () => {
  const { run, text, pass } = fleet();
  run(['a'], 12, well);
  run(['a'], 2, overloaded);
  pass(2 * 86_400);
  run(['a'], 2, overloaded);
  expect(text()).toBe('gemini 100% since 2026-11-24 02:51 (opus: Overload)');
});

test('recovery clears it, with an Event that is no warning', () => {
  const { run, events, text } = fleet();
  run(['a'], 12, well);
  run(['a'], 6, overloaded);
  run(['a'], 4, well);
  expect(text()).toBe('opus');
  expect(events.slice(1)).toEqual([{ type: 'Normal', reason: 'FallbackCleared', message: 'opus answers the requests to chain chat again: gemini had in its place since 02:51 UTC.' }]);
});

describe('no Event comes of', () => {
  test.each<[string, Interval, number]>([
    ['one request that fell back, though there were few', { opus: { served: 0, failures: 1, failure: 'Transient' }, gemini: { served: 1 } }, 1],
    ['a few of many that did', { opus: { served: 95, failures: 5, failure: 'Transient' }, gemini: { served: 5 } }, 4],
    ['another target that wins races while the first does not fail', { opus: { served: 6 }, gemini: { served: 4 } }, 4],
    ['requests that are the application\'s own fault', { opus: { served: 1, failures: 9, failure: 'Client' } }, 4],
  ])('%s', (_, interval, reports) => {
    const { run, events, text } = fleet();
    run(['a'], 3, { opus: { served: 1 } });
    run(['a'], reports, interval, interval['opus']?.failure === 'Client' ? 9 : 0);
    expect({ events, text: text() }).toEqual({ events: [], text: 'opus' });
  });
});

test('one request and an open breaker are enough', () => {
  const { run, text, events } = fleet();
  run(['a'], 1, {});
  run(['a'], 1, { opus: { failures: 2, failure: 'Unreachable', breaker: 'open' }, gemini: { served: 1 } });
  expect(text()).toBe('gemini 100% since 02:50 (opus: Unreachable)');
  expect(events).toHaveLength(1);
});

test('an open breaker shows with the next report, however many requests were answered before', () => {
  const { run, text } = fleet();
  run(['a'], 12, { opus: { served: 100 } });
  run(['a'], 1, { opus: { served: 20, failures: 5, failure: 'Overload', breaker: 'open' }, gemini: { served: 30 } });
  expect(text()).toBe('gemini 60% since 02:51 (opus: Overload)');
});

test('few requests add up: a quiet chain falls back too', () => {
  const { run, text } = fleet();
  run(['a'], 1, {});
  const fallback: Interval = { opus: { failures: 1, failure: 'Auth' }, gemini: { served: 1 } };
  for (let i = 0; i < 2; i += 1) {
    run(['a'], 1, fallback);
    run(['a'], 3, {});
  }
  expect(text()).toBe('gemini 100% since 02:50 (opus: Auth)');
});

test('without traffic the last verdict holds', () => {
  const { run, text, events, pass, view } = fleet();
  run(['a'], 12, well);
  run(['a'], 3, overloaded);
  run(['a'], 30, {});
  pass(600);
  expect(view().text).toBe('gemini 100% since 02:51 (opus: Overload)');
  expect(text()).toBe('gemini 100% since 02:51 (opus: Overload)');
  expect(events).toHaveLength(1);
});

test('when nobody answers, each target says why', () => {
  const { run, text, events } = fleet();
  run(['a'], 12, well);
  run(['a'], 2, { opus: { failures: 5, failure: 'Auth' }, gemini: { failures: 5, failure: 'Timeout', breaker: 'open' }, local: { failures: 5, failure: 'Unreachable' } }, 5);
  expect(text()).toBe('none since 02:51 (opus: Auth, gemini: Timeout, local: Unreachable)');
  expect(events.at(-1)?.message).toBe('No target answers the requests to chain chat since 02:51 UTC. opus: Auth (it refuses the key: check the Secret of ModelProvider opus); '
    + 'gemini: Timeout (no answer in time: see its status page; it is asked again by itself); local: Unreachable (no connection to it: check its baseURL, DNS, its certificate and the network).');
});

test('when the fallback fails as well, a second Event says who answers then', () => {
  const { run, text, events } = fleet();
  run(['a'], 12, well);
  run(['a'], 4, overloaded);
  run(['a'], 6, { gemini: { failures: 1, failure: 'Timeout', breaker: 'open' }, local: { served: 10 } });
  expect(text()).toMatch(/^local \d+% since 02:51 \(opus: Overload, gemini: Timeout\)$/);
  expect(events.map(({ reason, message }) => [reason, message.slice(0, 13)])).toEqual([['FallbackActive', 'gemini answer'], ['FallbackActive', 'local answers']]);
});

test('a part of the requests that falls back or stays unanswered is said as a part', () => {
  const { run, text, events } = fleet();
  run(['a'], 12, well);
  run(['a'], 6, { opus: { served: 6, failures: 4, failure: 'Rate' }, gemini: { served: 3 } }, 1);
  expect(text()).toBe('opus 60%, gemini 30%, unanswered 10% since 02:51 (opus: Rate)');
  expect(events.map(({ message }) => message)).toEqual([
    'opus answers only 60% of the requests to chain chat since 02:51 UTC, in its place gemini 30%, 10% are not answered. opus: Rate (its rate limit is reached: wait, or raise the limit at the provider).',
  ]);
});

describe('a target that nothing is sent to says why', () => {
  const provider = { name: 'opus', suspended: false, needsKey: true, address: 'https://llm.example' } as NonNullable<ServingContext['providers']>[number];
  test.each<[string, ServingContext, string]>([
    ['its key is not there', { providers: [provider], keys: [] }, 'gemini 100% since 02:50 (opus: KeyNotDelivered)'],
    ['its local model is loading', { endpoints: [{ name: 'opus', state: 'Loading', url: null }] }, 'gemini 100% since 02:50 (opus: Loading)'],
    ['its local model is not there', { endpoints: [{ name: 'opus', state: 'Absent', url: null }] }, 'gemini 100% since 02:50 (opus: Absent)'],
    ['nothing is known', {}, 'gemini 100% since 02:50 (opus: NotTried)'],
  ])('%s', (_, context, expected) => {
    const { run, text } = fleet(undefined, { context });
    run(['a'], 3, { gemini: { served: 5 } });
    expect(text()).toBe(expected);
  });
});

test('a key that is taken away from a busy chain shows with the next report, and says which key', () => {
  const provider = { name: 'opus', suspended: false, needsKey: true, address: 'https://llm.example' } as NonNullable<ServingContext['providers']>[number];
  const facts: ServingContext = { providers: [provider], keys: [], keyRefs: new Map([['opus', { name: 'opus-key', key: 'apiKey' }]]) };
  const { run, pass, report, view } = fleet();
  run(['a'], 12, well);
  expect(view(facts).targets[0]).toMatchObject({ health: 'Unhealthy', problem: 'KeyNotDelivered (its key is not there: check key "apiKey" of Secret "opus-key", and ResolvedRefs of ModelProvider opus)' });
  pass(5);
  report('a', { gemini: { served: 10 } });
  expect(view(facts)).toMatchObject({ text: 'gemini 100% since 02:51 (opus: KeyNotDelivered)', events: [{ reason: 'FallbackActive' }] });
});

test('a key that came back leaves in words what was wrong, until the fallback is over', () => {
  const provider = { name: 'opus', suspended: false, needsKey: true, address: 'https://llm.example' } as NonNullable<ServingContext['providers']>[number];
  const { run, pass, report, view, text } = fleet(undefined, { context: { providers: [provider], keys: [{ provider: 'opus' }] } });
  run(['a'], 12, well);
  pass(5);
  report('a', { gemini: { served: 10 } });
  view({ keys: [] });
  run(['a'], 1, { opus: { served: 5 }, gemini: { served: 5 } });
  expect(text()).toBe('gemini 75% since 02:51 (opus: KeyNotDelivered)');
});

test('a key that comes takes what was said of its absence along, traffic or none', () => {
  const provider = { name: 'opus', suspended: false, needsKey: true, address: 'https://llm.example' } as NonNullable<ServingContext['providers']>[number];
  const { view } = fleet(undefined, { context: { providers: [provider], keys: [] } });
  expect(view().targets[0]).toMatchObject({ health: 'Unhealthy', problem: expect.stringContaining('KeyNotDelivered') });
  expect(view({ keys: [{ provider: 'opus' }] }).targets[0]).toEqual({ name: 'opus', tier: 'Primary', health: 'Unknown' });
});

describe('a target that is not well says what to do', () => {
  const keyRefs = new Map([['opus', { name: 'opus-key', key: 'apiKey' }]]);
  const local = [{ name: 'opus', suspended: false, needsKey: false, address: 'local:opus' }] as unknown as NonNullable<ServingContext['providers']>;
  test.each<[string, ServingContext, FailureClass | null, string, string]>([
    ['its key is refused', { keyRefs }, 'Auth', 'Unhealthy', 'Auth (it refuses the key: check key "apiKey" of Secret "opus-key")'],
    ['it has no key', { keyRefs: new Map() }, 'Auth', 'Unhealthy', 'Auth (it wants a key, and ModelProvider opus names none: set its credentials.secretKeyRef)'],
    ['it does not know its model', {}, 'Missing', 'Unhealthy', 'Missing (it does not know the model m: check the model that the target names)'],
    ['its server here refuses', { providers: local }, 'Unreachable', 'Unhealthy', 'Unreachable (its server refuses connections: see Ready of ModelProvider opus)'],
    ['its server here is gone', { providers: local, endpoints: [{ name: 'opus', state: 'Absent', url: null, detail: 'put the file there' }] }, null, 'Absent', 'Absent (its server is not there: put the file there)'],
  ])('%s', (_, context, failure, health, problem) => {
    const { run, view } = fleet(undefined, { context });
    run(['a'], 3, { gemini: { served: 5 }, ...(failure === null ? {} : { opus: { failures: 5, failure } }) });
    expect(view().targets[0]).toMatchObject({ health, problem });
  });

  test('the key of a provider of another namespace is its owner\'s', () => {
    const { run, view } = fleet(['models/opus', 'gemini'], { context: { keyRefs: new Map() } });
    run(['a'], 3, { 'models/opus': { failures: 5, failure: 'Auth' }, gemini: { served: 5 } });
    expect(view().targets[0]?.problem).toBe('Auth (it refuses the key: check the Secret of ModelProvider opus of namespace models)');
  });
});

test('a fault that turns into one that a person must mend is told anew, and one that passes is not', () => {
  const { run, events } = fleet();
  run(['a'], 12, well);
  run(['a'], 6, overloaded);
  run(['a'], 6, { opus: { failures: 1, failure: 'Timeout', breaker: 'open' }, gemini: { served: 10 } });
  expect(events).toHaveLength(1);
  run(['a'], 6, { opus: { failures: 1, failure: 'Auth', breaker: 'open' }, gemini: { served: 10 } });
  expect(events.map(({ reason, message }) => [reason, /so far\)\. ([^(]+) \(/.exec(message)?.[1]])).toEqual([['FallbackActive', 'opus: Overload'], ['FallbackActive', 'opus: Auth']]);
});

test('requests that fell back before a fallback was over begin no other, however few come after', () => {
  const { run, events, text } = fleet();
  run(['a'], 12, well);
  run(['a'], 6, overloaded);
  run(['a'], 4, well);
  run(['a'], 2, {});
  run(['a'], 1, { opus: { served: 1 } });
  run(['a'], 2, {});
  expect({ text: text(), reasons: events.map(({ reason }) => reason) }).toEqual({ text: 'opus', reasons: ['FallbackActive', 'FallbackCleared'] });
});

test('a target that a person suspended is not missed', () => {
  const provider = { name: 'opus', suspended: true, address: 'https://llm.example' } as NonNullable<ServingContext['providers']>[number];
  const { run, text, events, view } = fleet(undefined, { context: { providers: [provider] } });
  run(['a'], 3, { gemini: { served: 5 } });
  expect({ text: text(), events }).toEqual({ text: 'gemini', events: [] });
  expect(view().targets[0]).toMatchObject({ name: 'opus', health: 'Suspended' });
});

describe('sidecars come and go', () => {
  test('what one did before the operator first heard of it is not of now', () => {
    const { report, view } = fleet();
    report('a', { opus: { failures: 900, failure: 'Auth' }, gemini: { served: 900 } });
    expect(view()).toMatchObject({ text: null, events: [] });
  });

  test('a process that starts anew counts from nothing', () => {
    const { run, restart, text, events, view } = fleet();
    run(['a'], 6, well);
    restart('a');
    run(['a'], 1, { opus: { served: 4 } });
    expect({ text: text(), events }).toEqual({ text: 'opus', events: [] });
    restart('a');
    run(['a'], 2, { opus: { served: 1, failures: 3, failure: 'Overload' }, gemini: { served: 3 } });
    expect(text()).toBe('gemini 75% since 02:50 (opus: Overload)');
    expect(view().targets[0]).toMatchObject({ successRate: '50%' });
  });

  test('one that is gone takes its open breaker with it, and one that is silent too', () => {
    const { run, forget, view, pass } = fleet();
    run(['a', 'b', 'c'], 2, well);
    run(['b'], 1, { opus: { failures: 5, failure: 'Timeout', breaker: 'open' } });
    run(['a', 'c'], 3, well);
    expect(view().targets[0]?.health).toBe('Degraded');
    forget('b');
    expect(view().targets[0]?.health).toBe('Healthy');
    run(['d'], 2, { opus: { breaker: 'open' } });
    expect(view().targets[0]?.health).toBe('Degraded');
    pass(25);
    run(['a', 'c'], 2, well);
    expect(view().targets[0]?.health).toBe('Healthy');
  });
});

describe('an operator that was restarted', () => {
  const before = 'gemini 94% since 02:51 (opus: Overload)';

  test('goes on with what the status says, and does not say it again', () => {
    const { run, text, events } = fleet(undefined, { context: { before }, start: at('09:00') });
    run(['a'], 3, overloaded);
    expect({ text: text(), events }).toEqual({ text: 'gemini 100% since 02:51 (opus: Overload)', events: [] });
  });

  test('tells that it is over where it ended meanwhile', () => {
    const { run, text, events } = fleet(undefined, { context: { before }, start: at('09:00') });
    run(['a'], 3, well);
    expect(text()).toBe('opus');
    expect(events.map(({ message }) => message)).toEqual(['opus answers the requests to chain chat again: gemini had in its place since 02:51 UTC.']);
  });

  test('reads a time of yesterday as such', () => {
    const { run, text } = fleet(undefined, { context: { before: 'none since 23:58 (opus: Auth)' }, start: midnight });
    run(['a'], 3, { opus: { failures: 3, failure: 'Auth' } }, 3);
    expect(text()).toBe('none since 23:58 (opus: Auth, gemini: NotTried, local: NotTried)');
  });
});

test('names at the length limit fit an Event', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => letter.repeat(253));
  const { run, events } = fleet(names);
  run(['x'], 1, {});
  run(['x'], 2, Object.fromEntries(names.map((name) => [name, { failures: 3, failure: 'Auth' as const }])), 3);
  expect([...(events[0]?.message ?? '')].length).toBe(1_024);
});

test('whatever sidecars report, only the chain\'s own names and our own words are said', () => {
  const classes = fc.constantFrom<FailureClass | null>(...failureClasses, null);
  const count = fc.nat(30);
  const target = fc.record({
    name: fc.constantFrom('opus', 'gemini', 'sk-upstream'), served: count, attempts: count, failures: count, lastFailure: classes,
    breaker: fc.constantFrom('closed' as const, 'open' as const, 'half-open' as const), firstContentP50Ms: fc.option(count),
  });
  const report = fc.record({ uid: fc.constantFrom('a', 'b'), afterMs: fc.integer({ min: 0, max: 40_000 }), requests: count, failed: count, targets: fc.uniqueArray(target, { selector: ({ name }) => name }) });
  fc.assert(fc.property(fc.array(report, { maxLength: 30 }), (reports) => {
    let serving = initialServing();
    let nowMs = 0;
    for (const { uid, afterMs, ...chain } of reports) {
      nowMs += afterMs;
      serving = noteReport(serving, { uid, chains: [{ name: 'chat', ...chain }] }, nowMs);
      const { next, text, targets, events } = viewServing(serving, chainOf(['opus', 'gemini']), nowMs, midnight + nowMs);
      serving = next;
      expect(JSON.stringify({ text, targets, events })).not.toMatch(/sk-upstream|NaN|-\d|Infinity|null%/);
      if (text !== null) expect(text).toMatch(/^(opus|gemini)$|^(none|((opus|gemini|unanswered) \d+%(, )?)+) since (\d{4}-\d\d-\d\d )?\d\d:\d\d \((opus|gemini): \w+(, gemini: \w+)?\)$/);
    }
  }), { numRuns: 300 });
});

function chainOf(names: readonly string[]): ChainEntry {
  const tiers = ['Primary', 'InterProvider', 'Local'] as const;
  return {
    name: 'chat', modelNames: ['chat'], fallbackMode: 'Sequential', latencyBudgetMs: null, deadlineMs: 1, retries: 1, egress: 'Any', rateLimitWaitUpToMs: 0, unroutable: null,
    race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0 },
    targets: names.map((name, index) => ({ name, provider: name, model: 'm', tier: tiers[index] ?? 'Local', contextTokens: null, suspended: false })),
  };
}
