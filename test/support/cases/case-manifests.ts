import { chainManifest, providerManifests, type Fields } from '../manifests.ts';
import type { Case, Step, Upstream } from './case-file.ts';

/** Name of every case's chain, and the model that its requests ask for where they name none. */
const chainName = 'chat';

/** The manifests that `belay run` serves a case from. `origins`: where each upstream listens. */
export function caseManifests(one: Case, origins: { readonly [upstream: string]: string }): readonly Fields[] {
  const targets = one.upstreams.map(({ name, model }) => ({ name: name.toLowerCase(), providerRef: { name: name.toLowerCase() }, model }));
  return [
    ...one.upstreams.flatMap((upstream) => providerManifests({
      name: upstream.name.toLowerCase(),
      spec: providerSpec(upstream, origins[upstream.name] ?? ''),
      key: upstream.credentials ? `key-of-${upstream.name.toLowerCase()}` : null,
    })),
    chainManifest(chainName, { ...modelNames(one), ...one.chain, targets }),
  ];
}

function providerSpec({ spec, preset, path }: Upstream, origin: string): Fields {
  const kind = preset !== null ? { preset } : spec['preset'] === undefined ? { dialect: 'OpenAI' } : {};
  return { ...kind, baseURL: origin + path, ...spec };
}

/** A request that is written down as text may name a model of its own: the chain then answers to that name too. */
function modelNames({ steps, upstreams }: Case): Fields {
  const named = steps.flatMap(({ bodyText }) => /"model"\s*:\s*"([^"\\]+)"/.exec(bodyText ?? '')?.[1] ?? []);
  const usual = [chainName, upstreams[0]?.model ?? chainName];
  return named.every((name) => usual.includes(name)) ? {} : { modelNames: [...new Set([...usual, ...named])] };
}

const markShape = / \[#[0-9.]+\]/g;

/** Taken out again before a recorded request is compared. */
export function withoutMark(text: string): string {
  return text.replace(markShape, '');
}

/** What a request of a step carries, so that the attempts it causes can be told from those of other steps. */
export function markOf(step: number, repetition: number): string {
  return ` [#${step}.${repetition}]`;
}

/** Body of a step's request, and whether it carries the mark. */
export function stepBody(step: Step, mark: string): { readonly body: Fields | string; readonly marked: boolean } {
  if (step.bodyText !== null) return markText(step.bodyText, mark);
  const asked = { model: chainName, messages: [{ role: 'user', content: 'Say the words.' }], ...(step.stream ? { stream: true } : {}), ...step.body };
  if (!Array.isArray(asked.messages)) return { body: asked, marked: false };
  const messages = [...(asked.messages as readonly Fields[])];
  const last = messages.pop();
  const content = markContent(last?.['content'], mark);
  if (last === undefined || content === null) return { body: asked, marked: false };
  return { body: { ...asked, messages: [...messages, { ...last, content }] }, marked: true };
}

function markContent(content: unknown, mark: string): unknown {
  if (typeof content === 'string') return content + mark;
  if (!Array.isArray(content)) return null;
  const parts = [...(content as readonly Fields[])];
  const at = parts.findLastIndex(({ text }) => typeof text === 'string');
  if (at < 0) return null;
  return parts.map((part, index) => (index === at ? { ...part, text: `${String(part['text'])}${mark}` } : part));
}

/** The bytes stay as they are but for the mark, which goes into the last content that is a text. */
function markText(text: string, mark: string): { readonly body: string; readonly marked: boolean } {
  const last = [...text.matchAll(/"content"\s*:\s*"(?:[^"\\]|\\.)*(?=")/g)].at(-1);
  if (last === undefined) return { body: text, marked: false };
  const end = last.index + last[0].length;
  return { body: text.slice(0, end) + mark + text.slice(end), marked: true };
}
