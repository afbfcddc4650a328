{{- define "belay.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 43 | trimSuffix "-" }}
{{- end }}

{{/* 43 characters leave room for what is appended to it. */}}
{{- define "belay.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 43 | trimSuffix "-" }}
{{- else if contains (include "belay.name" .) .Release.Name }}
{{- .Release.Name | trunc 43 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "belay.name" .) | trunc 43 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "belay.selectorLabels" -}}
app.kubernetes.io/name: {{ include "belay.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* metadata.labels and metadata.annotations of an object. Takes root, and where it has them component, labels and annotations of its own. */}}
{{- define "belay.metadata" -}}
{{- $root := .root }}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/name" (include "belay.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_")
  "app.kubernetes.io/managed-by" $root.Release.Service
  "app.kubernetes.io/part-of" "belay" }}
{{- with .component }}
{{- $_ := set $own "app.kubernetes.io/component" . }}
{{- end -}}
labels:
  {{- merge $own (.labels | default dict) $root.Values.commonLabels | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
