import type { ServerResponse } from 'node:http';
import { constants, createGzip, gzipSync, type Gzip } from 'node:zlib';
import { chunkJson, itemsOfSay, unaryJson, unfold, type Asked, type Identity } from './stand-in-answer.ts';
import type { Attempt, SseItem } from './stand-in-script.ts';

export interface Playing {
  readonly asked: Asked;
  readonly identity: Identity;
  /** Told of every piece of the body as it is written, before compression. */
  readonly onSent: (text: string) => void;
  /** Told before the script itself closes the connection. */
  readonly onClosing: () => void;
}

/** Answers one request as one entry of a script says; resolves when nothing more will be written. */
export async function playAttempt(attempt: Attempt, response: ServerResponse, playing: Playing): Promise<void> {
  if (attempt.delay !== undefined) await pause(attempt.delay, response);
  if (attempt.hang !== undefined) return hang(attempt.hang === true ? null : attempt.hang, response, playing);
  if (attempt.destroy === true) return close(response, playing);
  const items = itemsOf(attempt);
  if (items === null) return answerWhole(attempt, response, playing);
  return playing.asked.stream ? answerStreamed(attempt, items, response, playing) : answerUnary(attempt, items, response, playing);
}

/** null: the answer is no stream. */
function itemsOf({ sse, say, json, text }: Attempt): readonly SseItem[] | null {
  if (json !== undefined || text !== undefined) return null;
  return sse ?? (say === undefined ? null : itemsOfSay(say));
}

async function answerWhole(attempt: Attempt, response: ServerResponse, playing: Playing): Promise<void> {
  const type = attempt.json !== undefined || attempt.text === undefined ? 'application/json' : 'text/plain; charset=utf-8';
  const body = attempt.text ?? (attempt.json !== undefined ? JSON.stringify(attempt.json) : attempt.unary === undefined ? '' : unaryJson(attempt, playing.identity));
  await sendWhole(attempt, response, playing, { type, body });
}

/** Where the script breaks off or goes silent, so does the unary answer: after its first half if there was content. */
async function answerUnary(attempt: Attempt, items: readonly SseItem[], response: ServerResponse, playing: Playing): Promise<void> {
  const body = unaryJson(attempt, playing.identity);
  const last = attempt.unary === undefined ? unfold(items).find(({ kind }) => kind === 'destroy' || kind === 'hang') : undefined;
  if (last === undefined) return sendWhole(attempt, response, playing, { type: 'application/json', body });
  response.writeHead(attempt.status ?? 200, { 'content-type': 'application/json', ...attempt.headers });
  response.flushHeaders();
  const spoke = unfold(items).some((item) => item.kind === 'chunk' && item.text !== undefined && item.text !== '');
  if (spoke) await write(response, body.slice(0, body.length / 2), playing);
  for (const item of unfold(items)) if (item.kind === 'wait') await pause(item.ms, response);
  return last.kind === 'hang' ? hang(last.ms, response, playing) : close(response, playing);
}

async function sendWhole(attempt: Attempt, response: ServerResponse, playing: Playing, { type, body }: { readonly type: string; readonly body: string }): Promise<void> {
  const bytes = attempt.gzip === true ? gzipSync(body) : Buffer.from(body);
  response.writeHead(attempt.status ?? 200, {
    'content-type': type, 'content-length': bytes.length,
    ...(attempt.gzip === true ? { 'content-encoding': 'gzip' } : {}), ...attempt.headers,
  });
  playing.onSent(body);
  await writeSplit(response, bytes, attempt.split);
  response.end();
}

async function answerStreamed(attempt: Attempt, items: readonly SseItem[], response: ServerResponse, playing: Playing): Promise<void> {
  const out = await openStream(attempt, response, playing);
  let written = 0;
  for (const item of unfold(items)) {
    if (response.destroyed) return;
    if (item.kind === 'destroy') return close(response, playing);
    if (item.kind === 'hang') return hang(item.ms, response, playing);
    if (item.kind === 'wait') await pause(item.ms, response);
    const text = eventText(item, attempt, playing);
    if (text === null) continue;
    if (written++ > 0) await pause(attempt.pace ?? 0, response);
    await out.write(text);
  }
  await out.end();
}

async function openStream(attempt: Attempt, response: ServerResponse, playing: Playing): Promise<EventWriter> {
  response.writeHead(attempt.status ?? 200, {
    'content-type': 'text/event-stream', 'cache-control': 'no-cache',
    ...(attempt.gzip === true ? { 'content-encoding': 'gzip' } : {}), ...attempt.headers,
  });
  response.flushHeaders();
  const out = eventWriter(attempt, response, playing);
  if (attempt.bom === true) await out.write('\uFEFF');
  return out;
}

/** The bytes of one item; null where it comes to nothing. */
function eventText(item: SseItem, { newline = '\n', space = true }: Attempt, { asked, identity }: Playing): string | null {
  const line = (data: string): string => `data:${space ? ' ' : ''}${data}${newline}${newline}`;
  switch (item.kind) {
    case 'chunk': {
      const json = chunkJson(item, identity, asked);
      return json === null ? null : line(json);
    }
    case 'data': return line(typeof item.data === 'string' ? item.data : JSON.stringify(item.data));
    case 'done': return line('[DONE]');
    case 'comment': return `:${item.text === '' ? '' : ` ${item.text}`}${newline}${newline}`;
    case 'raw': return item.text;
    default: return null;
  }
}

interface EventWriter {
  write(text: string): Promise<void>;
  end(): Promise<void>;
}

function eventWriter(attempt: Attempt, response: ServerResponse, playing: Playing): EventWriter {
  const gzip = attempt.gzip === true ? createGzip() : null;
  gzip?.on('data', (bytes: Buffer) => response.write(bytes));
  return {
    write: async (text) => {
      playing.onSent(text);
      if (gzip === null) return writeSplit(response, Buffer.from(text), attempt.split);
      gzip.write(text);
      return flush(gzip);
    },
    end: async () => {
      if (gzip !== null) await new Promise<void>((resolve) => gzip.on('end', resolve).end());
      response.end();
    },
  };
}

function flush(gzip: Gzip): Promise<void> {
  return new Promise((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, () => resolve()));
}

async function writeSplit(response: ServerResponse, bytes: Buffer, size = bytes.length): Promise<void> {
  for (let from = 0; from < bytes.length && !response.destroyed; from += size) {
    await writeBytes(response, bytes.subarray(from, from + size));
    if (size < bytes.length) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

async function write(response: ServerResponse, text: string, playing: Playing): Promise<void> {
  playing.onSent(text);
  await writeBytes(response, Buffer.from(text));
}

/** Resolves when the bytes are with the kernel, or the connection is gone. */
function writeBytes(response: ServerResponse, bytes: Buffer): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => response.write(bytes, () => resolve()));
}

async function hang(ms: number | null, response: ServerResponse, playing: Playing): Promise<void> {
  await pause(ms, response);
  if (ms !== null) close(response, playing);
}

function close(response: ServerResponse, { onClosing }: Playing): void {
  if (!response.destroyed) onClosing();
  response.destroy();
}

/** Waits, at most until the connection closes; null: until then. */
function pause(ms: number | null, response: ServerResponse): Promise<void> {
  if (response.destroyed || ms === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = ms === null ? undefined : setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    }
    response.once('close', done);
  });
}
