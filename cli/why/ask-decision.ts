import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { applicationPort, type Clock, type Decision } from '@belay/contract';

/** What a sidecar says about one request. */
export type DecisionAnswer =
  | { readonly kind: 'found'; readonly decision: Decision }
  /** It keeps none of that id. */
  | { readonly kind: 'forgotten' }
  /** Whoever answered is no sidecar; a clause says what came. */
  | { readonly kind: 'foreign'; readonly detail: string };

const answerLimitMs = 10_000;
const longestAnswer = 4 * 1024 * 1024;

/** Asks by HTTP/1.1, over a connection that is there already or at a base URL. Rejects where nothing answers within 10 s. */
export async function askDecision(id: string, clock: Clock, to: { readonly url: URL } | { readonly createConnection: NonNullable<RequestOptions['createConnection']> }): Promise<DecisionAnswer> {
  const path = `/belay/decisions?id=${encodeURIComponent(id)}`;
  const late = new AbortController();
  const disarm = clock.after(answerLimitMs, () => late.abort());
  try {
    const { status, text } = await exchange(path, late.signal, to);
    return readAnswer(id, status, text);
  } catch (error) {
    if (late.signal.aborted) throw new Error(`nothing answered within ${answerLimitMs / 1_000} s`, { cause: error });
    throw error;
  } finally {
    disarm();
  }
}

function exchange(path: string, signal: AbortSignal, to: Parameters<typeof askDecision>[2]): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > longestAnswer) response.destroy(new Error('the answer is longer than any decision'));
      }).on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', reject);
    };
    const request = 'url' in to
      ? (to.url.protocol === 'https:' ? httpsRequest : httpRequest)(new URL(path, to.url), { signal, agent: false }, answered)
      // A sidecar's pages are for loopback alone: it looks at Host.
      : httpRequest({ path, signal, createConnection: to.createConnection, headers: { host: `127.0.0.1:${applicationPort}` } }, answered);
    request.on('error', reject).end();
  });
}

function readAnswer(id: string, status: number, text: string): DecisionAnswer {
  const value = parsedJson(text);
  if (status === 404 && (value as { error?: { code?: unknown } } | null)?.error?.code === 'decision_not_found') return { kind: 'forgotten' };
  if (status === 200 && isDecision(value) && value.id === id) return { kind: 'found', decision: value };
  return { kind: 'foreign', detail: `it answered ${status}${value === undefined ? ' without JSON' : ''}` };
}

/** As much of a decision as is printed of it. */
function isDecision(value: unknown): value is Decision {
  const one = value as Partial<Decision> | null;
  return typeof one === 'object' && one !== null && typeof one.id === 'string' && typeof one.chain === 'string' && Array.isArray(one.attempts) && Array.isArray(one.excluded);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
