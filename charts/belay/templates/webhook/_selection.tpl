{{/* Which pods are injected: the webhook and the policy that backs it take the same ones. */}}
{{- define "belay.matchConditions" -}}
- name: annotated
  expression: >-
    has(object.metadata.annotations) && 'belay.dev/inject' in object.metadata.annotations && object.metadata.annotations['belay.dev/inject'] != 'false'
- name: not-a-mirror-of-a-static-pod
  expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)"
{{- end }}

{{- define "belay.namespaceSelector" -}}
matchExpressions:
- key: kubernetes.io/metadata.name
  operator: NotIn
  values:
    {{- concat (list "kube-system" "kube-node-lease" .Release.Namespace) (.Values.injection.excludedNamespaces | default list) | uniq | toYaml | nindent 2 }}
{{- end }}

{{- define "belay.podRules" -}}
- apiGroups: ['']
  apiVersions: [v1]
  operations: [CREATE]
  resources: [pods]
  scope: Namespaced
{{- end }}
