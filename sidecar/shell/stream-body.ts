import { createChatStreamReader } from '../dialects/openai-chat/upstream/stream.ts';
import type { StreamEvent, StreamPush, StreamReader } from '../dialects/dialect.ts';
import { answered, complete, fail, failureContext, safely, stir, type Attempt, type BodyReader, type ByteSink } from './attempt.ts';

/** A loser that answered holds this much; then it is no longer read (routing rule 5). */
const heldBytesLimit = 16 * 1024;
/** After a finish reason, how long usage and `[DONE]` are waited for (routing rule 6). */
const afterFinishMs = 2_000;

/** Reads a stream of events; after the commit each chunk goes on as it came, without a timer or a promise. */
export function readStream(attempt: Attempt): BodyReader {
  const { request, target } = attempt;
  const { promptBytes } = failureContext(attempt);
  const reader = createChatStreamReader({ preset: target.provider.preset, stripUsage: !request.includeUsage, unary: !request.stream, promptBytes });
  attempt.reader = reader;
  return {
    data: (chunk) => onChunk(attempt, reader, chunk),
    end: () => onEnd(attempt, reader),
    failed(reason) {
      if (reader.finished) onEnd(attempt, reader);
      else fail(attempt, reason);
    },
  };
}

/** The commit: what was held goes to the client, and from now on everything does. */
export function commitStream(attempt: Attempt, sink: ByteSink): void {
  attempt.sink = sink;
  const { held } = attempt;
  attempt.held = [];
  attempt.heldBytes = 0;
  const resumes = !attempt.reading;
  const flowing = held.length === 0 || sink.write(joined(held), () => resume(attempt));
  if (flowing && resumes) resume(attempt);
  else if (!flowing) pause(attempt);
}

function onChunk(attempt: Attempt, reader: StreamReader, chunk: Uint8Array): void {
  if (attempt.over) return;
  const pushed = reader.push(chunk);
  stir(attempt);
  const spoke = pushed.events.some(isProgress);
  if (spoke || (reader.blockOpen && pushed.events.length > 0)) attempt.lastFedMs = attempt.clock.nowMs();
  const from = attempt.answered ? 0 : begin(attempt, pushed.events);
  // Telling of first content may have cost the race.
  if (!attempt.over) goOn(attempt, reader, pushed, from, spoke);
}

function goOn(attempt: Attempt, reader: StreamReader, { events, failure: broken }: StreamPush, from: number, spoke: boolean): void {
  const last = events.at(-1);
  const end = last?.kind === 'End' ? last.bytes : null;
  handOn(attempt, events, from, end === null ? events.length : events.length - 1);
  if (broken !== null) return fail(attempt, broken);
  if (end !== null) {
    attempt.endBytes = end;
    onEnd(attempt, reader);
  } else if (reader.finished && (spoke || attempt.disarm === null)) awaitEnd(attempt, reader);
}

/** Counts from the last content: there are servers that write a finish reason on every chunk. */
function awaitEnd(attempt: Attempt, reader: StreamReader): void {
  attempt.disarm?.();
  attempt.disarm = attempt.clock.after(afterFinishMs, () => safely(attempt, () => onEnd(attempt, reader)));
}

/** Tells of first content once everything up to it is in hand; returns where the rest begins. */
function begin(attempt: Attempt, events: readonly StreamEvent[]): number {
  const first = events.findIndex(isProgress);
  const isContent = first >= 0 && events[first]?.kind !== 'End';
  if (!isContent) return 0;
  handOn(attempt, events, 0, first + 1);
  answered(attempt);
  return first + 1;
}

/** Content, or what stands for it; not a comment, a ping, a role frame or a chunk that is withheld. */
function isProgress({ kind }: StreamEvent): boolean {
  return kind !== 'Silence' && kind !== 'Withheld';
}

/** The protocol's end, the connection's end after a finish reason, or 2 s after one: whole, or a failure. */
function onEnd(attempt: Attempt, reader: StreamReader): void {
  if (attempt.over) return;
  const broken = reader.end();
  if (broken !== null) return fail(attempt, broken);
  attempt.call?.release();
  attempt.servedModel = reader.servedModel;
  attempt.usage = reader.usage;
  complete(attempt);
}

function handOn(attempt: Attempt, events: readonly StreamEvent[], from: number, to: number): void {
  if (!attempt.request.stream || from >= to) return;
  const bytes = bytesOf(events, from, to);
  if (bytes === null) return;
  if (attempt.sink === null) hold(attempt, bytes);
  else if (!attempt.sink.write(bytes, () => resume(attempt))) pause(attempt);
}

function hold(attempt: Attempt, bytes: Uint8Array): void {
  attempt.held.push(bytes);
  attempt.heldBytes += bytes.length;
  if (attempt.answered && attempt.heldBytes > heldBytesLimit) pause(attempt);
}

function pause(attempt: Attempt): void {
  attempt.reading = false;
  attempt.call?.pause();
}

function resume(attempt: Attempt): void {
  attempt.reading = true;
  attempt.lastFedMs = attempt.clock.nowMs();
  attempt.call?.resume();
}

/** The bytes to hand on of a run of events, in one piece; null where all are withheld. */
function bytesOf(events: readonly StreamEvent[], from: number, to: number): Uint8Array | null {
  const first = events[from];
  if (to - from === 1 && first !== undefined) return first.kind === 'Withheld' ? null : first.bytes;
  const pieces: Uint8Array[] = [];
  for (let at = from; at < to; at++) {
    const event = events[at];
    if (event !== undefined && event.kind !== 'Withheld') pieces.push(event.bytes);
  }
  return pieces.length === 0 ? null : joined(pieces);
}

/** One view where the pieces lie side by side in one buffer, as the events of one chunk mostly do; else a copy. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces[0];
  if (first === undefined) return new Uint8Array(0);
  if (pieces.length === 1) return first;
  let end = first.byteOffset;
  for (const piece of pieces) {
    if (piece.buffer !== first.buffer || piece.byteOffset !== end) return Buffer.concat(pieces);
    end += piece.length;
  }
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
}
