import { request } from 'node:http';
import { chunksPerStream } from './upstream-mode.ts';

export interface Asked {
  readonly whole: boolean;
  /** Who sent the content; null: none came. */
  readonly by: 'primary' | 'fallback' | null;
  readonly firstContentMs: number | null;
  readonly ms: number;
  /** `whole`, `error event`, `broken off`, `short, as if whole`, `status 503`, `nothing came`. */
  readonly end: string;
}

/** One request over a connection of its own. Never rejects. */
export function askOnce(url: string, model: string, { stream, limitMs }: { readonly stream: boolean; readonly limitMs: number }): Promise<Asked> {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Say something about gateways.' }] });
  return new Promise((resolve) => {
    const startedMs = performance.now();
    let text = '';
    let firstContentMs: number | null = null;
    const settle = (end: string): void => {
      const by = /"content": ?"([PF])\d/.exec(text)?.[1];
      resolve({ whole: end === 'whole', by: by === undefined ? null : by === 'P' ? 'primary' : 'fallback', firstContentMs, ms: performance.now() - startedMs, end });
    };
    const sent = request(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (answer) => {
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
        if (firstContentMs === null && /"content": ?"[PF]\d/.test(text)) firstContentMs = performance.now() - startedMs;
      });
      answer.on('end', () => settle(endOf(answer.statusCode ?? 0, text, stream)));
      answer.on('error', () => settle(/data: ?\{"error"/.test(text) ? 'error event' : 'broken off'));
    });
    sent.on('error', () => settle('nothing came'));
    sent.setTimeout(limitMs, () => sent.destroy());
    sent.end(body);
  });
}

function endOf(status: number, text: string, stream: boolean): string {
  if (status !== 200) return `status ${status}`;
  const chunks = text.match(/"content": ?"[PF]\d/g)?.length ?? 0;
  if (chunks >= (stream ? chunksPerStream : 1)) return 'whole';
  return /data: ?\{"error"/.test(text) ? 'error event' : 'short, as if whole';
}
