import { readAttempt, type Attempt } from '../stand-in-script.ts';
import type { End } from '../chat-outcome.ts';

export type Behaviour = readonly Attempt[] | 'refuses';
export type Mode = 'Sequential' | 'Race';

/** What a fault must come to; times in milliseconds to first content, or to the end where there is none. */
export interface Wanted {
  readonly status: number;
  readonly text: string;
  readonly end: End;
  /** Targets in the order of their start, such as `a,b`. */
  readonly attempts: RegExp;
  readonly minMs: number;
  readonly maxMs: number;
}

/** How the first target fails. The second answers well, where nothing else is said. */
export interface FaultScenario {
  readonly name: string;
  readonly a: Behaviour;
  readonly b: Behaviour;
  readonly wanted: (mode: Mode, stream: boolean) => Wanted;
}

/** Latency budget of every chain here. */
export const budgetMs = 1_000;
const alpha = 'Alpha one two three four';
const bravo = 'Bravo one two three four';

const script = (...entries: readonly unknown[]): Behaviour => entries.map((entry, index) => readAttempt(entry, `entry ${index}`));
const error = (message: string): object => ({ error: { message, type: 'server_error', param: null, code: null } });
const opening = [{ role: true }, { text: 'Alpha ' }, { text: 'one ' }, { text: 'two ' }];
const well = script({ say: bravo });

/** The second target answers at once, or when the budget of the first is spent. */
const fallsOver = (attempts: RegExp, minMs = 0) => (_mode: Mode, stream: boolean): Wanted =>
  ({ status: 200, text: bravo, end: stream ? 'normal' : 'json', attempts, minMs, maxMs: minMs + 1_500 });
const atBudget = fallsOver(/^a,b$/, budgetMs - 60);

/** An answer that broke: seen by the client of a stream, hidden from a unary one. */
const broken = (_mode: Mode, stream: boolean): Wanted =>
  stream ? { status: 200, text: 'Alpha one two ', end: 'errorEvent', attempts: /^a$/, minMs: 0, maxMs: 1_500 } : fallsOver(/^a(,a)?,b$/)(_mode, stream);

/** A retry of the same target may still be on its way when the next, which a race starts beside it, has won. */
const retried = (mode: Mode, stream: boolean): Wanted => fallsOver(mode === 'Race' ? /^a,(a,b|b,a|b)$/ : /^a,a,b$/)(mode, stream);

export const faultScenarios: readonly FaultScenario[] = [
  { name: 'refused', a: 'refuses', b: well, wanted: fallsOver(/^a,b$/) },
  { name: '500', a: script({ status: 500, json: error('The server had an error.') }), b: well, wanted: retried },
  { name: '503', a: script({ status: 503, json: error('Overloaded.') }), b: well, wanted: fallsOver(/^a,b$/) },
  { name: '429', a: script({ status: 429, json: error('Rate limit reached.') }), b: well, wanted: fallsOver(/^a,b$/) },
  { name: '429, Retry-After: 2', a: script({ status: 429, headers: { 'retry-after': '2' }, json: error('Rate limit reached.') }), b: well, wanted: fallsOver(/^a,b$/) },
  { name: 'silence before headers', a: script({ hang: true }), b: well, wanted: atBudget },
  { name: 'headers, then silence', a: script({ sse: [{ hang: true }] }), b: well, wanted: atBudget },
  { name: 'role frame, then silence', a: script({ sse: [{ role: true }, { hang: true }] }), b: well, wanted: atBudget },
  { name: 'empty 200', a: script({ status: 200, text: '' }), b: well, wanted: fallsOver(/^a(,a)?(,b|,b,a)$/) },
  { name: 'a whole answer without content', a: script({ sse: [{ role: true }, { finish: 'stop' }, { done: true }] }), b: well, wanted: fallsOver(/^a(,a)?(,b|,b,a)$/) },
  { name: 'cut mid-stream', a: script({ sse: [...opening, { wait: 60 }, { destroy: true }], pace: 10 }), b: well, wanted: broken },
  { name: 'end without finish reason and [DONE]', a: script({ sse: opening, pace: 10 }), b: well, wanted: broken },
  {
    name: 'end without [DONE]', a: script({ sse: [{ role: true }, { say: alpha }, { finish: 'stop' }] }), b: well,
    wanted: (_mode, stream) => ({ status: 200, text: alpha, end: stream ? 'normal' : 'json', attempts: /^a$/, minMs: 0, maxMs: 4_000 }),
  },
  {
    name: 'all targets failing', a: script({ status: 503, json: error('Overloaded.') }), b: script({ status: 503, json: error('Overloaded.') }),
    // Both are tried, then after a second the first once more: a chain is never worse than the SDK's own retry.
    wanted: () => ({ status: 503, text: '', end: 'json', attempts: /^a,b,(a|b)$/, minMs: 900, maxMs: 6_000 }),
  },
];
