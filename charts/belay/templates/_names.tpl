{{- define "belay.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 43 | trimSuffix "-" }}
{{- end }}

{{/* 43 characters leave room for what is appended to it. A Service takes fewer names than helm does. */}}
{{- define "belay.fullname" -}}
{{- $name := printf "%s-%s" .Release.Name (include "belay.name" .) }}
{{- if .Values.fullnameOverride }}
{{- $name = .Values.fullnameOverride }}
{{- else if contains (include "belay.name" .) .Release.Name }}
{{- $name = .Release.Name }}
{{- end }}
{{- $name = regexReplaceAll "[-.]+$" (trunc 43 $name) "" }}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" $name) }}
{{- fail (printf "objects would be named %s, and a Service's name begins with a letter and holds letters, digits and dashes alone: set fullnameOverride, such as belay" $name) }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "belay.selectorLabels" -}}
app.kubernetes.io/name: {{ include "belay.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
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
  {{- merge $own (.labels | default dict) ($root.Values.commonLabels | default dict) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) ($root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
