import type { ClientFrame, Resource, ServerFrame } from './frames.ts';

/** One frame as one line. */
export function encodeFrame(frame: ClientFrame | ServerFrame): string {
  return frame.frame === 'snapshot' ? encodeSnapshot(frame, frame.nonce) : `${JSON.stringify(frame)}\n`;
}

/** Data as JSON, kept for as long as the data itself: what a thousand sidecars get is serialised once. */
const encoded = new WeakMap<object, string>();

/** A resource as the line that delivers it. */
export function encodeSnapshot(resource: Resource, nonce: string): string {
  const { head, rest } = snapshotPieces(resource, nonce);
  return `${head}${rest}`;
}

/**
 * The same line in two pieces: `head` is of this nonce alone, `rest` is the same for the same data, whatever the nonce. The one place, beside a
 * credential header, where keys are revealed.
 */
export function snapshotPieces(resource: Resource, nonce: string): { readonly head: string; readonly rest: string } {
  const { type, version, data } = resource;
  let rest = encoded.get(data);
  if (rest === undefined) {
    rest = `${JSON.stringify(resource.type === 'keys' ? resource.data.map((key) => ({ ...key, secret: key.secret.reveal() })) : data)}}\n`;
    encoded.set(data, rest);
  }
  return { head: `${JSON.stringify({ frame: 'snapshot', type, version, nonce }).slice(0, -1)},"data":`, rest };
}
