{{/* repository[:tag][@digest] of an image's values; the tag of Belay's own image is the appVersion unless it is said otherwise. */}}
{{- define "belay.reference" -}}
{{- .repository }}
{{- with .tag }}:{{ . }}{{ end }}
{{- with .digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "belay.image" -}}
{{- $image := .Values.image }}
{{- $tag := $image.tag }}
{{- if not (or $tag $image.digest) }}{{ $tag = .Chart.AppVersion }}{{ end }}
{{- include "belay.reference" (dict "repository" $image.repository "tag" $tag "digest" $image.digest) }}
{{- end }}

{{- define "belay.sidecarImage" -}}
{{- $image := .Values.sidecar.image }}
{{- if or $image.repository $image.tag $image.digest }}
{{- $tag := $image.tag }}
{{- if not (or $tag $image.digest) }}{{ $tag = .Chart.AppVersion }}{{ end }}
{{- include "belay.reference" (dict "repository" ($image.repository | default .Values.image.repository) "tag" $tag "digest" $image.digest) }}
{{- else }}
{{- include "belay.image" . }}
{{- end }}
{{- end }}
