/**
 * A CRD as a template of the chart: the file's own lines, with the chart's labels and, by `crds.keep`, the annotation that keeps it when the
 * release goes. Throws where the file is not laid out as those in crds/ are.
 */
export function crdTemplate(file: string, text: string, notice: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('apiVersion:'));
  const name = lines.findIndex((line) => /^ {2}name: /.test(line));
  if (start === -1 || name === -1 || lines[name - 1] !== 'metadata:') throw new Error(`crds/${file}: must have apiVersion at the start of a line, and metadata with the name first`);
  if (lines.some((line) => line.startsWith('---'))) throw new Error(`crds/${file}: must hold one document`);
  return [
    `{{- /* ${notice} */}}`,
    '{{- if .Values.crds.enabled }}',
    ...lines.slice(start, name + 1).map(escaped),
    '  {{- include "belay.metadata" (dict "root" . "annotations" (ternary (dict "helm.sh/resource-policy" "keep") (dict) .Values.crds.keep)) | nindent 2 }}',
    ...lines.slice(name + 1, lines.at(-1) === '' ? -1 : undefined).map(escaped),
    '{{- end }}',
    '',
  ].join('\n');
}

/** Rules and descriptions may hold what a template would take for its own. */
function escaped(line: string): string {
  return line.replaceAll('{{', '{{ "{{" }}');
}
