import { readAttempt, type Attempt } from '../../test/support/stand-in-script.ts';
import { words } from '../../test/support/stand-in-answer.ts';
import { realChain } from './demo-manifests.ts';

/** How a stand-in behaves during a scene: a script, or no listener at all. */
export type Behaviour = readonly Attempt[] | 'refuses';

/** What a request must come to. */
export type Expected =
  | { readonly kind: 'text'; readonly target: string; readonly text: string }
  /** Non-empty text from llama.cpp, whose own counter of tokens goes up by what the answer's usage says. */
  | { readonly kind: 'local' }
  /** The beginning of an answer, and then an error that the SDK throws. */
  | { readonly kind: 'cut'; readonly target: string; readonly text: string }
  /** Some text, from whoever. */
  | { readonly kind: 'any' };

export interface Scene {
  readonly title: string;
  readonly chain: string;
  readonly stream: boolean;
  readonly east: Behaviour;
  readonly west: Behaviour;
  readonly expected: Expected;
  /** Ask again every 250 ms until the expected target answers: a provider that is well again gets its traffic back. */
  readonly again?: boolean;
}

const eastText = 'East here: the sun is up and all is well.';
const westText = 'West here: I took this one over from East.';

const script = (...entries: readonly unknown[]): readonly Attempt[] => entries.map((entry, index) => readAttempt(entry, `scene[${index}]`));
const well = (text: string): Behaviour => script({ say: text, pace: 12 });
const status = (code: number, message: string, headers: { readonly [name: string]: string } = {}): Behaviour => script({ status: code, json: { error: { message, type: 'server_error', param: null, code: null } }, headers });
const role = { role: true };

const eastAnswers: Expected = { kind: 'text', target: 'east', text: eastText };
const westAnswers: Expected = { kind: 'text', target: 'west', text: westText };

interface Line {
  readonly title: string;
  readonly stream?: boolean;
  readonly east?: Behaviour;
  readonly west?: Behaviour;
  readonly expected?: Expected;
  readonly again?: boolean;
}

const cutAt = 'East here: the sun ';
const back: Line = { title: 'East is well again and gets its traffic back', expected: eastAnswers, again: true };

/** One target after the other, within a second to first content. */
const sequential: readonly Line[] = [
  { title: 'all is well', expected: eastAnswers },
  { title: 'East answers 500, twice', stream: true, east: status(500, 'The server had an error.') },
  { title: 'East says 429, Retry-After: 2', east: status(429, 'Rate limit reached.', { 'retry-after': '2' }) },
  { title: 'East is left alone until then', stream: true },
  back,
  { title: 'East takes the request and is silent', east: script({ hang: true }) },
  { title: 'East stalls before its first token', stream: true, east: script({ sse: [role, { hang: true }] }) },
  { title: 'East refuses the connection', stream: true, east: 'refuses' },
  back,
  {
    title: 'East is cut in the middle of its answer', stream: true, expected: { kind: 'cut', target: 'east', text: cutAt },
    east: script({ sse: [role, ...words(cutAt).map((text) => ({ text })), { wait: 60 }, { destroy: true }], pace: 25 }),
  },
];

/** The next target starts before the first has failed. */
const race: readonly Line[] = [
  { ...back, title: 'both are well: no second request' },
  { title: 'East is slow: first token after 3 s', stream: true, east: script({ delay: 3_000, say: eastText }) },
  { title: 'East answers 500', east: status(500, 'The server had an error.') },
  { title: 'East stalls before its first token', stream: true, east: script({ sse: [role, { hang: true }] }) },
];

/** Nothing in the cloud answers. */
const local: readonly (Line & { readonly chain: string })[] = [
  { chain: 'chat', title: 'East refuses, West answers 503', east: 'refuses', west: status(503, 'Overloaded.') },
  { chain: 'chat', title: 'the same, streamed', stream: true, east: 'refuses', west: status(503, 'Overloaded.') },
  { chain: 'chat-race', title: 'both refuse, in a race', stream: true, east: 'refuses', west: 'refuses' },
];

function scene(chain: string, { title, stream = false, east = well(eastText), west = well(westText), expected = westAnswers, again }: Line): Scene {
  return { title, chain, stream, east, west, expected, ...(again === undefined ? {} : { again }) };
}

/** Scenes for which no model is needed. */
export const cloudScenes: readonly Scene[] = [...sequential.map((line) => scene('chat', line)), ...race.map((line) => scene('chat-race', line))];

/** Scenes that end at the local model. */
export const localScenes: readonly Scene[] = local.map(({ chain, ...line }) => scene(chain, { expected: { kind: 'local' }, ...line }));

/** With a key: the real provider first, everything else behind it. */
export const realScene: Scene = scene(realChain, { title: 'the real provider first', stream: true, expected: { kind: 'any' } });

/** How both stand-ins behave when the script is over. */
export const atRest: { readonly east: Behaviour; readonly west: Behaviour } = { east: well(eastText), west: well(westText) };
