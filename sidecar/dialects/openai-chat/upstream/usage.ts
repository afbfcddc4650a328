import type { TokenUsage } from '@belay/contract';
import { isObject, objectIn, type JsonObject } from './error-fields.ts';

/**
 * Tokens of a chunk or an answer: `usage`, or Groq's `x_groq.usage`; null where neither says them. xAI leaves the
 * reasoning tokens out of `completion_tokens`: where the total shows it, they are added.
 */
export function usageOf(payload: JsonObject): TokenUsage | null {
  const usage = objectIn(payload['usage']) ?? objectIn(objectIn(payload['x_groq'])?.['usage']);
  if (usage === null) return null;
  const promptTokens = count(usage['prompt_tokens']);
  const completionTokens = count(usage['completion_tokens']);
  if (promptTokens === null || completionTokens === null) return null;
  const details = usage['completion_tokens_details'];
  const reasoning = (isObject(details) ? count(details['reasoning_tokens']) : null) ?? 0;
  const leftOut = reasoning > 0 && count(usage['total_tokens']) === promptTokens + completionTokens + reasoning;
  return { promptTokens, completionTokens: completionTokens + (leftOut ? reasoning : 0) };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
