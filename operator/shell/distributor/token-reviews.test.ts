import { expect, test } from '@jest/globals';
import { scriptedClient } from '../../../test/kube/scripted-client.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { LogLine } from '../log.ts';
import { newDistributorCounters } from './distributor-counters.ts';
import type { TokenReviewStatus } from './review-identity.ts';
import { createTokenReviews } from './token-reviews.ts';

const token = (claims: object = {}, name = 'a') => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${name}`;
const accepted: TokenReviewStatus = {
  authenticated: true, audiences: ['belay.dev'],
  user: { username: 'system:serviceaccount:shop:default', groups: ['system:serviceaccounts', 'system:authenticated'], extra: { 'authentication.kubernetes.io/pod-name': ['shop-1'], 'authentication.kubernetes.io/pod-uid': ['u'] } },
};

/** An API server that answers when it is told to. */
function reviewing({ atOnce = 10, longestQueue = 10 } = {}) {
  const clock = new ManualClock();
  const lines: LogLine[] = [];
  const asked: { readonly body: unknown; answer(status: TokenReviewStatus): void; fail(error: Error): void }[] = [];
  const client: KubeClient = {
    ...scriptedClient([], []).client,
    create: <T extends KubeObject>(_place: unknown, body: unknown, signal?: AbortSignal) => new Promise<T>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      asked.push({ body, answer: (status) => resolve({ metadata: { name: '' }, status } as object as T), fail: reject });
    }),
  };
  const counters = newDistributorCounters();
  const reviews = createTokenReviews({ client, clock, wallClock: () => 1_000_000 + clock.nowMs(), log: (line) => lines.push(line), counters, atOnce, longestQueue });
  const settled = async (review: Promise<unknown>) => { await clock.advance(0); return review; };
  return { clock, lines, asked, reviews, counters, settled };
}

test('the API server is asked with the audience, once for one token at a time, and its answer holds for 60 s', async () => {
  const { clock, asked, reviews, counters } = reviewing();
  const both = [reviews.review(token()), reviews.review(token())];
  expect(asked.map(({ body }) => body)).toEqual([{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: token(), audiences: ['belay.dev'] } }]);
  asked[0]!.answer(accepted);
  expect(await Promise.all(both)).toEqual(Array(2).fill({ kind: 'accepted', identity: { namespace: 'shop', pod: 'shop-1', uid: 'u' } }));
  await clock.advance(59_999);
  expect((await reviews.review(token())).kind).toBe('accepted');
  await clock.advance(1);
  void reviews.review(token());
  expect([asked.length, counters.reviews, counters.reviewsCached]).toEqual([2, 2, 1]);
});

test('an answer holds no longer than its token', async () => {
  const { clock, asked, reviews } = reviewing();
  const short = token({ exp: 1_010 });
  const first = reviews.review(short);
  asked[0]!.answer(accepted);
  await first;
  await clock.advance(9_999);
  await reviews.review(short);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  void reviews.review(short);
  expect(asked).toHaveLength(2);
});

test('a refusal holds for 5 s', async () => {
  const { clock, asked, reviews } = reviewing();
  const first = reviews.review(token());
  asked[0]!.answer({ authenticated: false, error: 'expired' });
  expect(await first).toEqual({ kind: 'refused', message: 'The token is not valid here: send the pod\'s projected token of audience belay.dev, read anew.' });
  await clock.advance(4_999);
  expect((await reviews.review(token())).kind).toBe('refused');
  await clock.advance(1);
  void reviews.review(token());
  expect(asked).toHaveLength(2);
});

test('where nobody answers nobody is accepted, nothing is kept, and it is said once in 10 s without the token', async () => {
  const { asked, reviews, lines, counters } = reviewing();
  for (let n = 0; n < 2; n++) {
    const review = reviews.review(token());
    asked[n]!.fail(new Error(`no route for ${token()}`));
    expect(await review).toEqual({ kind: 'unavailable', message: 'The API server could not be asked about the token: come back later.' });
  }
  expect(lines.map(({ message }) => message)).toEqual(['A sidecar\'s token could not be reviewed, and the sidecar is sent away until it can be: no route for [redacted].']);
  expect(counters).toMatchObject({ reviews: 2, reviewsFailed: 2 });
});

test('an answer that was good a minute ago does not stand in for one that does not come', async () => {
  const { clock, asked, reviews } = reviewing();
  const first = reviews.review(token());
  asked[0]!.answer(accepted);
  await first;
  await clock.advance(60_000);
  const second = reviews.review(token());
  asked[1]!.fail(new Error('no'));
  expect((await second).kind).toBe('unavailable');
});

test('an API server that says nothing for 8 s has not answered', async () => {
  const { clock, reviews, lines } = reviewing();
  const review = reviews.review(token());
  await clock.advance(8_000);
  expect((await review).kind).toBe('unavailable');
  expect(lines[0]?.message).toContain('the API server did not answer within 8 s');
  expect(clock.armed).toBe(0);
});

test('only so many are asked for at once, some wait, and the rest are sent away', async () => {
  const { asked, reviews, settled } = reviewing({ atOnce: 2, longestQueue: 1 });
  const all = ['a', 'b', 'c', 'd'].map((name) => reviews.review(token({}, name)));
  expect((await all[3]!).kind).toBe('unavailable');
  expect(asked).toHaveLength(2);
  asked[0]!.answer(accepted);
  await settled(all[0]!);
  expect(asked).toHaveLength(3);
  for (const { answer } of asked.slice(1)) answer(accepted);
  expect((await Promise.all(all.slice(0, 3))).map(({ kind }) => kind)).toEqual(Array(3).fill('accepted'));
});

test('closing ends what is under way and what waits', async () => {
  const { clock, reviews, lines } = reviewing({ atOnce: 1 });
  const all = ['a', 'b'].map((name) => reviews.review(token({}, name)));
  reviews.close();
  expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable']);
  expect([clock.armed, lines]).toEqual([0, []]);
});

const user = accepted.user!;
test.each<[string, TokenReviewStatus, string]>([
  ['no answer at all', {}, 'The token is not valid here: send the pod\'s projected token of audience belay.dev, read anew.'],
  ['another audience', { ...accepted, audiences: ['vault'] }, 'The token is for another audience: send the pod\'s projected token of audience belay.dev.'],
  ['an API server that knows no audiences', { authenticated: true, user }, 'The token is for another audience: send the pod\'s projected token of audience belay.dev.'],
  ['a person', { ...accepted, user: { ...user, username: 'admin' } }, 'The token is not of a service account: send the pod\'s projected token.'],
  ['a name of too many parts', { ...accepted, user: { ...user, username: 'system:serviceaccount:shop:default:more' } }, 'The token is not of a service account: send the pod\'s projected token.'],
  ['a name of one who is in no group of service accounts', { ...accepted, user: { ...user, groups: [] } }, 'The token is not of a service account: send the pod\'s projected token.'],
  ['no pod', { ...accepted, user: { ...user, extra: {} } }, 'The token is bound to no pod: send the pod\'s projected token, not one of the service account.'],
  ['two pods', { ...accepted, user: { ...user, extra: { ...user.extra, 'authentication.kubernetes.io/pod-uid': ['u', 'v'] } } }, 'The token is bound to no pod: send the pod\'s projected token, not one of the service account.'],
])('a token of %s is refused', async (_, status, message) => {
  const { asked, reviews } = reviewing();
  const review = reviews.review(token());
  asked[0]!.answer(status);
  expect(await review).toEqual({ kind: 'refused', message });
});

test.each(['', 'opaque', 'a.b', 'a.b.c.d', 'a b.c.d', 'a..c'])('what cannot be a pod\'s token is not asked about: %j', async (text) => {
  const { asked, reviews } = reviewing();
  expect([(await reviews.review(text)).kind, asked]).toEqual(['refused', []]);
});
