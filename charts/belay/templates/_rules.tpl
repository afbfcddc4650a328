{{/* The Secret with Belay's own certificate authority. Whoever comes first creates it, and a right to create has no name. */}}
{{- define "belay.caRules" -}}
- apiGroups: ['']
  resources: [secrets]
  resourceNames: [belay-ca]
  verbs: [get, list, watch, update]
- apiGroups: ['']
  resources: [secrets]
  verbs: [create]
{{- end }}

{{/* caBundle and owner of the chart's own webhook. */}}
{{- define "belay.webhookConfigurationRules" -}}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  resourceNames: [{{ include "belay.fullname" . }}-injector]
  verbs: [get, list, watch, patch]
{{- end }}
