/** What a body turns out to be, by its first byte that is not white space. */
export type BodyForm = 'json' | 'events' | 'unclear';

/** First letters of an event's line: `data`, `event`, `id`, `retry`, and the colon of a comment. No JSON text begins so. */
const opensEvent = new Set([...'deir:'].map((letter) => letter.charCodeAt(0)));
const opensJson = new Set([...'{['].map((letter) => letter.charCodeAt(0)));
const whiteSpace = new Set([...' \t\r\n'].map((letter) => letter.charCodeAt(0)));

/**
 * The form of a good answer from its bytes so far: errors in JSON come declared as text/event-stream, and streams as
 * application/json. null: nothing but white space came, as some providers send while they work.
 */
export function bodyForm(bytes: Uint8Array): BodyForm | null {
  const first = bytes.find((byte) => !whiteSpace.has(byte));
  if (first === undefined) return null;
  if (opensJson.has(first)) return 'json';
  return opensEvent.has(first) ? 'events' : 'unclear';
}
