import { maxBodyBytes } from '@belay/contract';
import { failure, type Failure } from '../../../core/failure/failure.ts';
import type { StreamEvent, StreamPush, StreamReader } from '../../dialect.ts';
import { isFinished, newAnswerState, readChunk, type AnswerState } from './answer-state.ts';
import { createAssembler, type Assembler } from './assemble.ts';
import { choicesOf, failedFinishes, finishOf } from './chunk.ts';
import { carriesError, isObject, jsonOf, type JsonObject } from './error-fields.ts';
import { readEvent, scanEvent, type EventData } from './event-data.ts';
import { classifyErrorInside } from './failure.ts';
import { isPlainText } from './plain-text.ts';
import { createSseScanner, type SseEvent } from './sse-scanner.ts';

export interface StreamReaderOptions {
  /** The provider's preset; null: none. */
  readonly preset: string | null;
  /** The application did not ask for usage: the chunk that holds nothing else is withheld. */
  readonly stripUsage: boolean;
  /** Gather the events for a unary client. */
  readonly unary: boolean;
  /** Size of the request's body, for a limit that it alone exceeds. */
  readonly promptBytes?: number;
}

/** One event may hold a generated picture; what is larger is no answer. */
const maxEventBytes = 16 * 1024 * 1024;

interface Reading {
  readonly options: StreamReaderOptions;
  readonly assembler: Assembler | null;
  readonly answer: AnswerState;
  failure: Failure | null;
  /** A good `[DONE]` came. */
  over: boolean;
}

/** Reads an OpenAI chat stream in any chunking (routing rules 2, 3 and 6; README.md for what providers do). */
export function createChatStreamReader(options: StreamReaderOptions): StreamReader {
  const scanner = createSseScanner(maxEventBytes);
  const reading: Reading = { options, assembler: options.unary ? createAssembler() : null, answer: newAnswerState(), failure: null, over: false };

  function push(chunk: Uint8Array): StreamPush {
    const events: StreamEvent[] = [];
    if (reading.failure !== null || reading.over) return { events, failure: reading.failure };
    const whole = scanner.push(chunk);
    if (whole === null) reading.failure = broken('an event larger than 16 MiB');
    for (const raw of whole ?? []) {
      const event = read(reading, raw);
      if (event !== null) events.push(event);
      if (event === null || reading.over) break;
    }
    return { events, failure: reading.failure };
  }

  function end(): Failure | null {
    const last = reading.failure === null && !reading.over ? scanner.end() : null;
    if (last !== null) read(reading, last);
    if (!reading.over) reading.failure ??= incomplete(reading.answer, 'its stream ended before the answer was whole');
    return reading.failure;
  }

  function answer(): string {
    if (reading.assembler === null) throw new Error('answer() of a stream that was handed on, not gathered');
    return reading.assembler.answer();
  }

  return {
    push, end, answer,
    get finished() { return isFinished(reading.answer); },
    get blockOpen() { return reading.answer.blockOpen; },
    get usage() { return reading.answer.usage; },
    get servedModel() { return reading.answer.servedModel; },
  };
}

/** null: the event is a failure, which is noted. */
function read(reading: Reading, raw: SseEvent): StreamEvent | null {
  const { answer, assembler } = reading;
  const { bytes } = raw;
  if (answer.answered && assembler === null && !isFinished(answer) && isPlainText(scanEvent(raw))) {
    answer.blockOpen = false;
    return { kind: 'Content', bytes };
  }
  const event = readEvent(raw);
  if (event.data === null) return { kind: 'Silence', bytes };
  if (event.data.startsWith('[DONE]')) return readDone(reading, bytes);
  // An empty data field is a keep-alive to some servers and a syntax error to the SDKs.
  if (event.data === '' && event.name !== 'error') return { kind: 'Withheld', bytes };
  return readPayload(reading, event, bytes);
}

function readDone(reading: Reading, bytes: Uint8Array): StreamEvent | null {
  reading.failure = incomplete(reading.answer, '[DONE] without a finish reason');
  reading.over = reading.failure === null;
  return reading.over ? { kind: 'End', bytes } : null;
}

function readPayload(reading: Reading, { name, data }: EventData, bytes: Uint8Array): StreamEvent | null {
  const text = data ?? '';
  const payload = jsonOf(text);
  reading.failure = failureInside(reading, name, text, payload);
  if (reading.failure !== null || !isObject(payload)) return null;
  if (!gathers(reading, payload)) return null;
  const { kind, mended } = readChunk(reading.answer, payload, reading.options.stripUsage);
  return { kind, bytes: mended === null ? bytes : new TextEncoder().encode(`data: ${JSON.stringify({ ...payload, choices: mended })}\n\n`) };
}

/** Adds to a unary client's answer, where there is one; false: it has grown larger than an answer may be. */
function gathers(reading: Reading, payload: JsonObject): boolean {
  const { assembler } = reading;
  if (assembler === null) return true;
  assembler.add(payload);
  if (assembler.size > maxBodyBytes) reading.failure = broken('answer is larger than 32 MiB');
  return reading.failure === null;
}

function failureInside({ options }: Reading, name: string | null, text: string, payload: unknown): Failure | null {
  const context = { preset: options.preset, wallNowMs: 0, promptBytes: options.promptBytes ?? 0 };
  if (name === 'error' || carriesError(payload)) return classifyErrorInside(text, {}, context);
  if (!isObject(payload)) return broken('an event that is not a JSON object');
  const refused = choicesOf(payload).find((choice) => failedFinishes.has(finishOf(choice) ?? ''));
  return refused === undefined ? null : classifyErrorInside(JSON.stringify({ error: refused['error'] ?? { code: finishOf(refused) } }), {}, context);
}

/** null where every choice that was seen has ended and the answer is one. */
function incomplete(answer: AnswerState, otherwise: string): Failure | null {
  if (!isFinished(answer)) return broken(otherwise);
  return answer.answered || answer.explained ? null : failure('Content', 'empty answer', { status: 200 });
}

function broken(what: string): Failure {
  return failure('Transient', what, { status: 200 });
}
