import { expect, test } from '@jest/globals';
import { crdTemplate } from './crd-template.ts';

const crd = `# Why
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.dev
spec:
  description: '{{ a template? }}'
`;

test('a CRD becomes a template that renders to its own lines', () => {
  expect(crdTemplate('things.yaml', crd, 'Generated.')).toBe(`{{- /* Generated. */}}
{{- if .Values.crds.enabled }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.dev
  {{- include "belay.metadata" (dict "root" . "annotations" (ternary (dict "helm.sh/resource-policy" "keep") (dict) .Values.crds.keep)) | nindent 2 }}
spec:
  description: '{{ "{{" }} a template? }}'
{{- end }}
`);
});

test.each<[string, string, string]>([
  ['without a name first', crd.replace('  name:', '  labels: {}\n  name:'), 'metadata with the name first'],
  ['with two documents', `${crd}---\n${crd}`, 'must hold one document'],
])('one %s is refused', (_, text, message) => {

  expect(() => crdTemplate('things.yaml', text, '')).toThrow(message);
});
