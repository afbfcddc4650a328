import { expect, test } from '@jest/globals';
import { chartValues, valuesTable } from './values-table.ts';

test('every value is listed under its comment, and a map with a comment as one', () => {
  const values = chartValues(`# Of a replica.
replicas: 2
image:
  # Where it is
  # pulled from.
  repository: a/b
  # Which.
  tag: ''
# All of them.
resources:
  limits: { memory: 1Gi }
# A | B
list: [1]
`);
  expect(valuesTable(values)).toBe(`| value | default | |
| --- | --- | --- |
| \`replicas\` | \`2\` | Of a replica. |
| \`image.repository\` | \`"a/b"\` | Where it is pulled from. |
| \`image.tag\` | \`""\` | Which. |
| \`resources\` | \`{"limits":{"memory":"1Gi"}}\` | All of them. |
| \`list\` | \`[1]\` | A \\| B |`);
});

test.each<[string, string, string]>([
  ['a value without a comment', '# A.\na: 1\nb: 2\n', 'values.yaml: b has no comment that says what it is'],
  ['a value within a map without one', 'image:\n  tag: a\n', 'values.yaml: image.tag has no comment that says what it is'],
  ['what is no map', '[]', 'values.yaml: must be a map'],
])('%s is refused', (_, text, message) => {
  expect(() => chartValues(text)).toThrow(message);
});
