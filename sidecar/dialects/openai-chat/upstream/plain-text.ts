/** A member that makes more of an event than text of the first choice; a null is nothing, and no other value begins with n. */
const more = /"(?:(?:error|finish_reason|usage|tool_calls|function_call|refusal|audio|images|reasoning\w*|thinking)"\s*:\s*[^n\s]|index"\s*:\s*[1-9]|object"\s*:\s*"error)/;
const text = /"content"\s*:\s*"[^"]/;

/**
 * True where an event is surely nothing but text of the first choice, so that it need not be parsed: its data begins
 * and ends as one JSON object (routing rule 6) and holds none of the members that mean more. A quote inside a string is
 * escaped, so what a model writes never looks like a member. `data` is Latin-1 or UTF-8: only ASCII is looked at.
 */
export function isPlainText(data: string | null): boolean {
  return data !== null && data.startsWith('{') && data.endsWith('}') && !more.test(data) && text.test(data);
}
