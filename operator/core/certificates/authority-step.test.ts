import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { authorityStep, retirementMs, type AuthoritySituation, type AuthorityState, type NextAuthority } from './authority-step.ts';
import { leafStep } from './leaf-step.ts';
import { lifetimes, type CertificateFacts } from './lifetimes.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const born = Date.UTC(2026, 10, 25);
const settleMs = lifetimes.settleMs;

describe('the next thing to do with the shared CA', () => {
  const first = authorityAt('first', born);
  const second: NextAuthority = { ...authorityAt('second', born + 250 * day), publishedMs: null, settleMs };
  const rest: AuthorityState = { signing: first, signingSinceMs: null, next: null, old: [], rotationAsked: false };
  const published = born + 250 * day;

  test.each<[string, Partial<AuthorityState>, Partial<AuthoritySituation>, object]>([
    ['nothing for two thirds of its life', {}, { nowMs: born + 243 * day }, { kind: 'wait', untilMs: renewalOf(first) }],
    ['another beside it after that', {}, { nowMs: born + 244 * day }, { kind: 'publish-next' }],
    ['another beside it where somebody asks', { rotationAsked: true }, {}, { kind: 'publish-next' }],
    ['no third one where somebody asks again', { rotationAsked: true, next: second }, { nowMs: published }, { kind: 'wait', untilMs: first.notAfterMs }],
    ['to wait while the API server does not trust the next', { next: second }, { nowMs: born + 300 * day, published: new Set(['first']) }, { kind: 'wait', untilMs: first.notAfterMs }],
    ['to note when it does', { next: second }, { nowMs: published, published: new Set(['first', 'second']) }, { kind: 'note-published' }],
    ['to wait until everybody has seen it', { next: { ...second, publishedMs: published } }, { nowMs: published + settleMs - 1 }, { kind: 'wait', untilMs: published + settleMs }],
    ['to sign with it then', { next: { ...second, publishedMs: published } }, { nowMs: published + settleMs }, { kind: 'promote-next' }],
    ['to sign with it sooner where somebody said so', { next: { ...second, publishedMs: published, settleMs: 0 } }, { nowMs: published }, { kind: 'promote-next' }],
    ['to trust the one before while its leaves live', { signing: second, signingSinceMs: published, old: [first] }, { nowMs: published + 7 * day }, { kind: 'wait', untilMs: published + 7 * day + settleMs + 10 * minute }],
    ['to forget it afterwards', { signing: second, signingSinceMs: published, old: [first] }, { nowMs: published + 8 * day }, { kind: 'retire-old' }],
    ['to forget one that nobody knows the end of when it expires', { signing: second, old: [first] }, { nowMs: first.notAfterMs }, { kind: 'retire-old' }],
    ['to trust still what somebody took out while it was in use', { signing: second }, { nowMs: published, leafIssuer: first }, { kind: 'keep-issuer' }],
    ['not to trust what was taken out and has expired', { signing: second }, { nowMs: first.notAfterMs, leafIssuer: first }, { kind: 'wait', untilMs: renewalOf(second) }],
    ['to replace one that has expired at once', {}, { nowMs: first.notAfterMs }, { kind: 'replace-expired' }],
    ['to replace it even where the next was never published', { next: second }, { nowMs: first.notAfterMs }, { kind: 'replace-expired' }],
  ])('%s', (_, state, situation, step) => {
    expect(authorityStep({ ...rest, ...state }, { nowMs: born, leafIssuer: null, published: new Set(), ...situation })).toEqual(step);
  });
});

test('whatever the order of rotations, starts and looks, no replica serves a leaf that the API server does not trust', () => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('look' as const), replica: fc.nat(2) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.oneof(fc.nat(settleMs), fc.nat(3 * day)) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), replica: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'publish' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'rotate' as const }) },
  );
  fc.assert(fc.property(fc.array(action, { minLength: 50, maxLength: 400 }), (actions) => {
    const world = createWorld();
    for (const each of actions) {
      world.play(each);
      expect(world.untrusted()).toEqual([]);
    }
  }), { numRuns: 300 });
});

type Action = { readonly kind: 'look' | 'restart'; readonly replica: number } | { readonly kind: 'pass'; readonly ms: number } | { readonly kind: 'rotate' | 'publish' };

/** Three replicas around one Secret; the API server trusts what the Secret said when it was last published. */
function createWorld(): { play(action: Action): void; untrusted(): readonly unknown[] } {
  let nowMs = born;
  let count = 0;
  let state: AuthorityState = { signing: authorityAt('ca-0', born), signingSinceMs: null, next: null, old: [], rotationAsked: false };
  let published: ReadonlySet<string> = new Set(['ca-0']);
  const fresh = (): Replica => ({ leaf: null, knownSince: new Map() });
  const replicas = [fresh(), fresh(), fresh()];
  const trusted = (): CertificateFacts[] => [state.signing, ...(state.next === null ? [] : [state.next]), ...state.old];

  const publish = (): void => { published = new Set(trusted().map(({ id }) => id)); };
  const look = (replica: Replica): void => {
    for (const { id } of trusted()) if (!replica.knownSince.has(id)) replica.knownSince.set(id, nowMs);
    const { signing } = state;
    if (leafStep({ nowMs, leaf: replica.leaf, signing, settledMs: (replica.knownSince.get(signing.id) ?? nowMs) + settleMs }).kind === 'sign') {
      replica.leaf = { issuer: signing, notBeforeMs: nowMs - lifetimes.skewMs, notAfterMs: Math.min(signing.notAfterMs, nowMs + lifetimes.leafMs) };
    }
    const { kind } = authorityStep(state, { nowMs, leafIssuer: replica.leaf?.issuer ?? null, published });
    state = after(state, kind);
    // A year without a look: nobody is trusted then, and nobody refused for long.
    if (kind === 'replace-expired') publish();
  };
  const after = (before: AuthorityState, kind: ReturnType<typeof authorityStep>['kind']): AuthorityState => {
    const { signing, next, old } = before;
    if (kind === 'publish-next') return { ...before, rotationAsked: false, next: { ...authorityAt(`ca-${++count}`, nowMs), publishedMs: null, settleMs } };
    if (kind === 'note-published' && next !== null) return { ...before, next: { ...next, publishedMs: nowMs } };
    if (kind === 'promote-next' && next !== null) return { signing: next, signingSinceMs: nowMs, next: null, old: [signing, ...old], rotationAsked: false };
    if (kind === 'retire-old') return { ...before, old: old.filter((each) => nowMs < retirementMs(each, before)) };
    if (kind === 'replace-expired') return { ...before, signing: authorityAt(`ca-${++count}`, nowMs), signingSinceMs: nowMs, next: null };
    return before;
  };
  return {
    play(action) {
      if (action.kind === 'pass') nowMs += action.ms;
      else if (action.kind === 'publish') publish();
      else if (action.kind === 'rotate') state = { ...state, rotationAsked: true };
      else if ('replica' in action && action.kind === 'restart') replicas[action.replica] = fresh();
      else if ('replica' in action) look(replicas[action.replica] ?? fresh());
    },
    untrusted: () => replicas.flatMap(({ leaf }) => (leaf === null || nowMs >= leaf.notAfterMs || published.has(leaf.issuer.id) ? [] : [leaf])),
  };
}

interface Replica {
  leaf: { readonly issuer: CertificateFacts; readonly notBeforeMs: number; readonly notAfterMs: number } | null;
  readonly knownSince: Map<string, number>;
}

function authorityAt(id: string, nowMs: number): CertificateFacts {
  return { id, notBeforeMs: nowMs - lifetimes.skewMs, notAfterMs: nowMs + lifetimes.authorityMs };
}

function renewalOf({ notBeforeMs, notAfterMs }: CertificateFacts): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * 2 / 3;
}
