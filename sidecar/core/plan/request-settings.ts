import { parseDuration, parsed, refused, requestHeaders, type Egress, type FallbackMode, type Parsed, type Problem } from '@belay/contract';
import type { RequestSettings } from './plan-types.ts';

/** Members of `belay` in a body, and the header of the same meaning. */
const settingNames = {
  targets: requestHeaders.targets,
  latency_budget: requestHeaders.latencyBudget,
  fallback_mode: requestHeaders.fallbackMode,
  egress: requestHeaders.egress,
  explain: requestHeaders.explain,
} as const;
type SettingName = keyof typeof settingNames;

const fallbackModes: { readonly [word: string]: FallbackMode } = { race: 'Race', sequential: 'Sequential' };
const egresses: { readonly [word: string]: Egress } = { cluster: 'ClusterOnly', any: 'Any' };
const switches: { readonly [word: string]: boolean } = { 1: true, true: true, 0: false, false: false };

/**
 * What an application sets for this one request: `x-belay-*` headers (lower-cased names), or the same under `belay` in
 * the body; a header wins. Each wrong value is one problem, whose path is the header or `belay.NAME`.
 */
export function parseRequestSettings(
  headers: { readonly [name: string]: string | readonly string[] | undefined },
  body: { readonly [name: string]: unknown },
): Parsed<RequestSettings> {
  const problems: Problem[] = Object.keys(body)
    .filter((name) => !Object.hasOwn(settingNames, name))
    .map((name) => ({ path: `belay.${name}`, message: `is no setting; there are ${Object.keys(settingNames).join(', ')}` }));
  const read = <T>(name: SettingName, parse: (value: unknown, path: string) => Parsed<T>): T | null => {
    const header = headers[settingNames[name]];
    const [value, path] = header === undefined ? [body[name], `belay.${name}`] : [Array.isArray(header) ? header.join(',') : header, settingNames[name]];
    if (value === undefined || value === null) return null;
    const result = parse(value, path);
    if (result.ok) return result.value;
    problems.push(...result.problems);
    return null;
  };
  const settings: RequestSettings = {
    targets: read('targets', parseTargets),
    latencyBudgetMs: read('latency_budget', parseBudget),
    fallbackMode: read('fallback_mode', wordOf(fallbackModes)),
    egress: read('egress', wordOf(egresses)),
    explain: read('explain', wordOf(switches)) ?? false,
  };
  return problems.length === 0 ? parsed(settings) : { ok: false, problems };
}

function parseTargets(value: unknown, path: string): Parsed<readonly string[]> {
  const given: unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
  const names = given.map((name) => (typeof name === 'string' ? name.trim() : ''));
  if (names.length === 0 || names.includes('')) return refused(path, `must name targets of the chain, such as gemini,local, not ${JSON.stringify(value)}`);
  return parsed([...new Set(names)]);
}

function parseBudget(value: unknown, path: string): Parsed<number> {
  const result = parseDuration(typeof value === 'string' ? value.trim() : value, path);
  return result.ok && result.value === 0 ? refused(path, 'must be longer than 0s, such as 1500ms') : result;
}

function wordOf<T>(words: { readonly [word: string]: T }): (value: unknown, path: string) => Parsed<T> {
  return (value, path) => {
    const word = typeof value === 'object' ? '' : String(value).trim().toLowerCase();
    const found = Object.hasOwn(words, word) ? words[word] : undefined;
    return found === undefined ? refused(path, `must be ${Object.keys(words).join(' or ')}, not ${JSON.stringify(value)}`) : parsed(found);
  };
}
