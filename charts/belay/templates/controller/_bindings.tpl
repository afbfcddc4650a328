{{/* Binds ClusterRole `role` to the controller in the whole cluster, or in some namespaces. Takes root, role, everywhere and namespaces. */}}
{{- define "belay.bindings" -}}
{{- $root := .root }}
{{- $role := .role }}
{{- $name := include "belay.fullname" $root }}
{{- $metadata := include "belay.metadata" (dict "root" $root "component" "controller") }}
{{- range ternary (list "") (.namespaces | default list | uniq) .everywhere }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "ClusterRoleBinding" "RoleBinding" (empty .) }}
metadata:
  name: {{ $role | quote }}
  {{- with . }}
  namespace: {{ . | quote }}
  {{- end }}
  {{- $metadata | nindent 2 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $role | quote }} }
subjects:
- { kind: ServiceAccount, name: {{ $name | quote }}, namespace: {{ $root.Release.Namespace | quote }} }
{{- end }}
{{- end }}
