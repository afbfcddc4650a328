import { isMap, isScalar, parseDocument, type Node } from 'yaml';

export interface ChartValue {
  /** `webhook.replicas` */
  readonly path: string;
  readonly value: unknown;
  /** Its comment in values.yaml, as one line. */
  readonly description: string;
}

/**
 * Every value of a values.yaml in its order: whatever is no map with members, and maps whose own comment speaks for their members.
 * Throws on one without a comment, and on a comment of a map that has none of its own to describe.
 */
export function chartValues(text: string): readonly ChartValue[] {
  const document = parseDocument(text, { keepSourceTokens: true });
  if (document.errors.length > 0 || !isMap(document.contents)) throw new Error(`values.yaml: ${document.errors[0]?.message ?? 'must be a map'}`);
  return membersOf(document.contents, '', document.commentBefore ?? null);
}

function membersOf(map: Node, prefix: string, firstComment: string | null): readonly ChartValue[] {
  if (!isMap(map)) return [];
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) throw new Error(`values.yaml: a key under ${prefix} is no text`);
    const path = `${prefix}${String(key.value)}`;
    const comment = key.commentBefore ?? (index === 0 ? (map.commentBefore ?? firstComment) : null);
    if (comment === null || comment === undefined) {
      if (isMap(value) && value.items.length > 0) return membersOf(value, `${path}.`, null);
      throw new Error(`values.yaml: ${path} has no comment that says what it is`);
    }
    const described = { path, value: (value as Node | null)?.toJSON() as unknown, description: comment.split('\n').map((line) => line.trim()).join(' ') };
    return [described];
  });
}

/** A table of values, by their paths, for a README. */
export function valuesTable(values: readonly ChartValue[]): string {
  const rows = values.map(({ path, value, description }) => `| \`${path}\` | \`${JSON.stringify(value)}\` | ${cell(description)} |`);
  return ['| value | default | |', '| --- | --- | --- |', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
