/** One dispatched event of a stream. */
export interface ServerEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** Reads a stream of bytes in pieces. */
export interface SseReader {
  /** Events that are whole with these bytes. */
  push(bytes: Uint8Array): readonly ServerEvent[];
  /** Comment lines so far, without their colon. */
  readonly comments: readonly string[];
}

/**
 * Server-sent events by the rules of the HTML standard (9.2.6): one byte order mark is skipped, lines end in LF, CR or
 * CRLF, one space after the colon belongs to it, an event without data is not dispatched, and an event that the stream's
 * end cuts off is dropped. Independent of the parser that the product uses, so that it can judge it.
 */
export function createSseReader(): SseReader {
  const decoder = new TextDecoder('utf-8');
  const comments: string[] = [];
  let rest = '';
  let endedInCarriageReturn = false;
  let data: string[] = [];
  let type = '';

  function takeLine(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (data.length > 0) events.push({ type: type === '' ? 'message' : type, data: data.join('\n') });
      data = [];
      type = '';
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return void comments.push(line.slice(1));
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
  }

  return {
    comments,
    push: (bytes) => {
      const events: ServerEvent[] = [];
      let text = decoder.decode(bytes, { stream: true });
      if (text === '') return events;
      if (endedInCarriageReturn && text.startsWith('\n')) text = text.slice(1);
      endedInCarriageReturn = text === '' ? false : text.endsWith('\r');
      rest += text;
      const lines = rest.split(/\r\n|\r|\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) takeLine(line, events);
      return events;
    },
  };
}
