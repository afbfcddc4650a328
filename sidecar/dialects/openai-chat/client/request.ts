import { parsed, refused, type Parsed } from '@belay/contract';
import type { ClientRequest, RequestTraits } from '../../dialect.ts';
import { findJsonError } from '../json-error.ts';

type Members = { readonly [name: string]: unknown };

/**
 * An application's POST /v1/chat/completions: checked as far as routing needs it, and no further; what else is wrong
 * with it the provider says, as it would without Belay. `text` keeps the body, so that unknown fields and numbers
 * reach every target as they were sent. Problems carry the field's path.
 */
export function parseChatRequest(body: Uint8Array): Parsed<ClientRequest> {
  const text = decode(body);
  if (text === null) return refused('', 'The request body must be UTF-8 text.');
  const json = parseJson(text);
  if (!json.ok) return json;
  const request = json.value;
  if (!isObject(request)) return refused('', `The request body must be a JSON object with "model" and "messages", not ${describe(request)}.`);
  const problem = firstProblem(request);
  if (problem !== null) return refused(problem.path, problem.message);
  return parsed({
    model: request['model'] as string,
    stream: request['stream'] === true,
    includeUsage: isObject(request['stream_options']) && request['stream_options']['include_usage'] === true,
    settings: isObject(request['belay']) ? request['belay'] : {},
    traits: traitsOf(request, text, body.length),
    text,
  });
}

/** A byte order mark is dropped; null: not UTF-8. */
function decode(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

function parseJson(text: string): Parsed<unknown> {
  try {
    return parsed(JSON.parse(text));
  } catch {
    if (text.trim() === '') return refused('', 'The request body is empty; it must be a JSON object with "model" and "messages".');
    const { line, column, found } = findJsonError(text);
    return refused('', `The request body is not JSON: ${found} at line ${line}, column ${column} is unexpected.`);
  }
}

function firstProblem(request: Members): { path: string; message: string } | null {
  const { model, messages, stream, belay } = request as { [name in 'model' | 'messages' | 'stream' | 'belay']?: unknown };
  if (typeof model !== 'string' || model === '') return { path: 'model', message: `must be the name of a model, not ${describe(model)}` };
  if (!Array.isArray(messages)) return { path: 'messages', message: `must be a list of messages, not ${describe(messages)}` };
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') return { path: 'stream', message: `must be true or false, not ${describe(stream)}` };
  if (belay !== undefined && belay !== null && !isObject(belay)) return { path: 'belay', message: `must be an object of settings such as {"targets": "gemini,local"}, not ${describe(belay)}` };
  return null;
}

function traitsOf(request: Members, text: string, bytes: number): RequestTraits {
  return {
    promptTokensEstimate: estimateTokens(text, bytes),
    maxOutputTokens: count(request['max_completion_tokens']) ?? count(request['max_tokens']),
    notRaceable: notRaceable(request),
    wantsJSON: isObject(request['response_format']) && ['json_object', 'json_schema'].includes(request['response_format']['type'] as string),
    reasons: reasons(request),
  };
}

/** Routing rule 1: bytes ÷ 3.6. An inlined file or image is counted apart: its base64 is not read as text by any model. */
const bytesPerToken = 3.6;
const tokensPerInlinedFile = 1_000;

function estimateTokens(text: string, bytes: number): number {
  let inlinedBytes = 0;
  let files = 0;
  for (let at = text.indexOf(';base64,'); at !== -1; at = text.indexOf(';base64,', at)) {
    const end = text.indexOf('"', at);
    inlinedBytes += (end === -1 ? text.length : end) - at;
    files++;
    at = end === -1 ? text.length : end;
  }
  return Math.ceil(Math.max(0, bytes - inlinedBytes) / bytesPerToken) + files * tokensPerInlinedFile;
}

/** Routing rule 5: what a second attempt would double, or what two attempts could not agree on. */
function notRaceable(request: Members): string | null {
  const n = request['n'];
  if (typeof n === 'number' && n > 1) return 'n > 1';
  if (request['logprobs'] === true || count(request['top_logprobs']) !== null) return 'logprobs';
  if (typeof request['seed'] === 'number') return 'seed';
  if (request['store'] === true) return 'store';
  if (isObject(request['audio']) || listIn(request['modalities']).includes('audio')) return 'audio';
  return listIn(request['tools']).some(isHosted) ? 'hosted tools' : null;
}

/** A tool that the provider runs itself, and not the application. */
function isHosted(tool: unknown): boolean {
  return isObject(tool) && tool['type'] !== 'function' && tool['type'] !== 'custom';
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** OpenAI reasoning_effort; OpenRouter reasoning; z.ai and DeepSeek thinking; Qwen and vLLM enable_thinking. */
function reasons(request: Members): boolean {
  const { reasoning_effort: effort, reasoning, thinking, enable_thinking: enabled, chat_template_kwargs: template } =
    request as { [name in 'reasoning_effort' | 'reasoning' | 'thinking' | 'enable_thinking' | 'chat_template_kwargs']?: unknown };
  if (typeof effort === 'string' && effort !== 'none') return true;
  if (isObject(reasoning) && reasoning['enabled'] !== false && reasoning['effort'] !== 'none') return true;
  if (isObject(thinking) && thinking['type'] !== 'disabled') return true;
  return enabled === true || (isObject(template) && template['enable_thinking'] === true);
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (value === '') return 'an empty text';
  return typeof value === 'string' ? 'a text' : String(value);
}
