import type { ClientFrame, Resource, ServerFrame } from './frames.ts';

/** One frame as one line. */
export function encodeFrame(frame: ClientFrame | ServerFrame): string {
  return frame.frame === 'snapshot' ? encodeSnapshot(frame, frame.nonce) : `${JSON.stringify(frame)}\n`;
}

/** Data as JSON, kept for as long as the data itself: what a thousand sidecars get is serialised once. */
const encoded = new WeakMap<object, string>();

/** A resource as the line that delivers it. The one place, beside a credential header, where keys are revealed. */
export function encodeSnapshot(resource: Resource, nonce: string): string {
  const { type, version, data } = resource;
  let text = encoded.get(data);
  if (text === undefined) {
    text = JSON.stringify(resource.type === 'keys' ? resource.data.map((key) => ({ ...key, secret: key.secret.reveal() })) : data);
    encoded.set(data, text);
  }
  return `${JSON.stringify({ frame: 'snapshot', type, version, nonce }).slice(0, -1)},"data":${text}}\n`;
}
