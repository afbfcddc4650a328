/** Why a stream ends in an error after its first content. */
export type StreamErrorCode = 'upstream_stream_interrupted' | 'deadline_exceeded';

/**
 * The event that ends a broken stream: OpenAI's SDKs raise it as an APIError and do not retry. No `[DONE]` follows it;
 * the connection is closed behind it.
 */
export function streamErrorEvent(message: string, code: StreamErrorCode = 'upstream_stream_interrupted'): Uint8Array {
  return new TextEncoder().encode(`data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code } })}\n\n`);
}

/** The end of a whole stream, where the upstream's own did not come. */
export const streamEnd: Uint8Array = new TextEncoder().encode('data: [DONE]\n\n');
