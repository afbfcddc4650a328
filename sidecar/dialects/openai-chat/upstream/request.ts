import type { ClientRequest, UpstreamRequestOptions } from '../../dialect.ts';
import { editMembers, jsonMembers, type MemberEdit } from '../json-members.ts';
import { presetOf } from './presets.ts';

/** Path below a provider's base URL, and the body to send there. */
export interface UpstreamRequest {
  readonly path: '/chat/completions';
  readonly body: Uint8Array;
}

/**
 * An application's request as one target gets it. The text is edited at its top level only: `model` becomes the
 * target's, `belay` goes, `stream` says how Belay asks; a stream is asked for its usage (inside whatever
 * `stream_options` the application sent); a unary answer loses them, and keeps a `stream` that is off. Everything else keeps its bytes.
 */
export function upstreamRequest(request: ClientRequest, { model, stream, preset }: UpstreamRequestOptions): UpstreamRequest {
  const askUsage = stream && presetOf(preset).takesStreamOptions;
  const names = new Set(jsonMembers(request.text).map(({ name }) => name));
  const edit: MemberEdit = ({ name, valueStart, valueEnd }) => {
    switch (name) {
      case 'model': return JSON.stringify(model);
      case 'belay': return null;
      case 'stream': return stream ? 'true' : request.stream ? 'false' : undefined;
      case 'stream_options': return askUsage ? withUsage(request.text.slice(valueStart, valueEnd)) : null;
      default: return undefined;
    }
  };
  const added: string[] = [];
  if (stream && !names.has('stream')) added.push('"stream":true');
  if (askUsage && !names.has('stream_options')) added.push(`"stream_options":${usageOnly}`);
  return { path: '/chat/completions', body: new TextEncoder().encode(editMembers(request.text, edit, added)) };
}

const usageOnly = '{"include_usage":true}';

/** Options of the wrong kind are left to the provider's own message. */
function withUsage(options: string): string | undefined {
  if (options === 'null') return usageOnly;
  if (!options.startsWith('{')) return undefined;
  const asked = jsonMembers(options).some(({ name }) => name === 'include_usage');
  return editMembers(options, ({ name }) => (name === 'include_usage' ? 'true' : undefined), asked ? [] : ['"include_usage":true']);
}
