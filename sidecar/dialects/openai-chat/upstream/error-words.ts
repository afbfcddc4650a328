import type { ErrorFields } from './error-fields.ts';

/*
 * Words by which providers say the same thing. Sources are in README.md; a pattern without a recording there comes
 * from the provider's own page. A message may repeat parts of a request (names of functions, of fields): what only a
 * code says is looked for in codes and types alone.
 */

function codes({ code, type }: ErrorFields): string {
  return `${code} ${type}`;
}

function anyOf(patterns: readonly string[]): RegExp {
  return new RegExp(patterns.join('|'), 'i');
}

/** llama.cpp answers every endpoint so until the model is loaded. */
export function blamesLoading({ message }: ErrorFields): boolean {
  return /^loading model\b/i.test(message);
}

const quotaCodes = anyOf([
  'insufficient_(quota|balance|credits?|funds)', 'credit_balance', 'billing_(error|hard_limit|not_active)', 'enforced_spend_limit', 'arrearage', 'allocationquota',
]);
const quotaMessages = anyOf([
  'reached your specified (API )?usage limits', 'check your plan and billing', 'credit balance is too low', 'insufficient (account )?(balance|credits?|funds)\\b',
  '(used all available|run out of|out of) credits', 'account (is|has been) suspended', 'prepa(id|yment) credits? (are |is )?(depleted|exhausted|used)',
  'spend(ing)? limit', 'monthly (usage |spending )?(limit|quota)',
]);

/** Money or a contract's amount is used up: waiting a moment does not help. Gemini's quota ids say more than its words. */
export function blamesQuota(fields: ErrorFields): boolean {
  return fields.quotaIds === '' && (quotaCodes.test(codes(fields)) || quotaMessages.test(fields.message));
}

/** A day's limit returns with the day; Gemini tells it by the quota's id, Groq and OpenAI by `per day (RPD)`. */
export function isDailyLimit({ quotaIds, message }: ErrorFields): boolean {
  return /PerDay/.test(quotaIds) || /\b(requests|tokens) per day\b|\((RPD|TPD)\)|free-models-per-day/i.test(message);
}

/** The request alone is larger than what a minute allows (OpenAI 429, Groq 413): by its words, or by its numbers. */
export function blamesSize({ message }: ErrorFields): boolean {
  if (/request too large for/i.test(message)) return true;
  const [, limit, requested] = /Limit:? ([\d,]+).{0,60}?Requested:? ([\d,]+)/i.exec(message) ?? [];
  return limit !== undefined && requested !== undefined && digits(requested) > digits(limit);
}

function digits(text: string): number {
  return Number(text.replaceAll(',', ''));
}

const contextCodes = anyOf(['context_length_exceeded', 'context_window_exceeded', 'exceed_context_size', 'too_many_prompt_tokens', 'too_many_tokens']);
const contextMessages = anyOf([
  'maximum context length', 'maximum (prompt|input) length', 'max(imum)? context (size|window)', '(available|model\'s|maximum) context (size|window|length)',
  'exceeds? (the |this |its )?(model\'s )?(context|max(imum)? (number of )?(input )?tokens)', 'exceeded max context', 'prompt (is )?too long', 'input (is )?too long',
  'input token count.{0,40}exceeds', 'input length.{0,60}exceeds', 'range of input length', 'length of all messages is too long', 'too many (input |prompt )?tokens',
  'reduce the length of (the|your) (messages|prompt|input)', 'inputs?`? tokens \\+ `?max_new_tokens', 'longer than the (model\'s )?(context|maximum)',
]);

/** The prompt does not fit this model's window. Never asked of a 429: `too many tokens, please wait` is a rate. */
export function blamesContext(fields: ErrorFields): boolean {
  return contextCodes.test(codes(fields)) || contextMessages.test(fields.message);
}

/** Somebody's policy refuses the prompt; another target is not asked unless a trigger says so. */
export function blamesContent(fields: ErrorFields): boolean {
  return /\bcontent_filter\b|content_policy_violation|ResponsibleAIPolicyViolation|data_?inspection_?failed|\binvalid_prompt\b/i.test(codes(fields))
    || /content management policy|requires moderation and|input was flagged|flagged by moderation/i.test(fields.message);
}

/** The model wrote a tool call or JSON that its provider could not use (Groq). */
export function blamesOutput(fields: ErrorFields): boolean {
  return /tool_use_failed|json_validate_failed|output_parse_failed/.test(codes(fields));
}

const missingCodes = /model_?not_?found|model_not_supported|model_decommissioned|model_not_available|unknown_model|\binvalid_model\b|DeploymentNotFound/i;
const missingMessages = anyOf([
  '\\bmodel(:? ?[`\'"]?[^\\s`\'"]{1,120}[`\'"]?)?,? (does not exist|do not exist|not found|not exist\\b|is not found|is not available|has been (decommissioned|deprecated|removed))',
  '\\bno such model', '\\bunknown model\\b', '\\binvalid model( name| id)?(:| passed| [`\'"]|\\.|$)', 'not a valid model', '(requested|specified) model is not supported',
  'model identifier is invalid',
]);

/** The model's name means nothing to the provider. */
export function blamesMissingModel(fields: ErrorFields): boolean {
  return missingCodes.test(codes(fields)) || missingMessages.test(fields.message);
}

/** A 404 that is about what one request asked for, not about the model (OpenRouter's endpoints for a feature, a file's id). */
export function blamesRequestOn404({ message }: ErrorFields): boolean {
  return /no (endpoints|providers?) (found )?(that|matching|which)|no allowed providers|no such (file|image|container|vector store|tool)\b/i.test(message);
}

/** A bad key under a status that is not 401 or 403 (xAI, Gemini: 400). */
export function blamesAccess(fields: ErrorFields): boolean {
  return /invalid_api_key|API_KEY_INVALID|authentication_error/i.test(codes(fields))
    || /(incorrect|invalid|missing|expired) api.?key|api.?key (is )?(not valid|invalid|expired|not found)/i.test(fields.message);
}

/** Too much for the provider, not for the account. */
export function blamesLoad(fields: ErrorFields): boolean {
  return codesBlameLoad(fields) || /overloaded|high demand|server (is )?busy|maximum pending requests|at capacity|no (healthy|available) (upstream|workers?)/i.test(fields.message);
}

/** The same where the status alone would say something else: a message is not enough. */
export function codesBlameLoad(fields: ErrorFields): boolean {
  return /overloaded|\bslow_down\b|capacity_exceeded|insufficient_system_resource/i.test(codes(fields));
}

/** llama.cpp's 500 that is the request's fault: broken JSON, or a picture for a model without eyes. */
export function blamesRequestOn500({ message }: ErrorFields): boolean {
  return /json\.exception\.|(image|audio|video) input is not supported/i.test(message);
}
