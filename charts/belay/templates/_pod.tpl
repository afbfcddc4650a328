{{/* What pods of the operator and of the chart's jobs share: restricted Pod Security, and who the pod is. */}}
{{- define "belay.podSecurityContext" -}}
runAsNonRoot: true
{{- if eq .Values.userIds "fixed" }}
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "belay.securityContext" -}}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
readOnlyRootFilesystem: true
{{- end }}

{{- define "belay.environment" -}}
- name: BELAY_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
- name: BELAY_POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: BELAY_POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- end }}

{{/* A role's Deployment. Takes root, component, name, values, replicas, args and ports; affinity and topologySpreadConstraints where values have none. */}}
{{- define "belay.deployment" -}}
{{- $root := .root }}
{{- $selector := include "belay.selectorLabels" . }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name | quote }}
  namespace: {{ $root.Release.Namespace | quote }}
  {{- include "belay.metadata" . | nindent 2 }}
spec:
  replicas: {{ .replicas }}
  selector:
    matchLabels:
      {{- $selector | nindent 6 }}
  # A new pod is ready before an old one goes; where both need a port of the node, the old one makes room.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: {{ ternary 1 0 (not (empty .hostNetwork)) }}, maxSurge: 1 }
  template:
    metadata:
      labels:
        {{- merge (fromYaml $selector) (.values.podLabels | default dict) ($root.Values.commonLabels | default dict) | toYaml | nindent 8 }}
      annotations:
        {{- merge (dict "belay.dev/inject" "false") (.values.podAnnotations | default dict) ($root.Values.commonAnnotations | default dict) | toYaml | nindent 8 }}
    spec:
      serviceAccountName: {{ .name | quote }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
      {{- with .values.priorityClassName }}
      priorityClassName: {{ . | quote }}
      {{- end }}
      {{- if .hostNetwork }}
      hostNetwork: true
      dnsPolicy: ClusterFirstWithHostNet
      {{- end }}
      securityContext:
        {{- include "belay.podSecurityContext" $root | nindent 8 }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
      - name: {{ .component }}
        image: {{ include "belay.image" $root | quote }}
        imagePullPolicy: {{ $root.Values.image.pullPolicy }}
        args:
          {{- toYaml .args | nindent 8 }}
        env:
          {{- include "belay.environment" $root | nindent 8 }}
        ports:
          {{- range .ports }}
        - { name: {{ .name }}, containerPort: {{ .port }}, protocol: TCP }
          {{- end }}
        - { name: probes, containerPort: 8081, protocol: TCP }
        startupProbe:
          httpGet: { path: /live, port: probes }
          periodSeconds: 1
          timeoutSeconds: 5
          failureThreshold: 60
        readinessProbe:
          httpGet: { path: /ready, port: probes }
          periodSeconds: 2
          timeoutSeconds: 5
          failureThreshold: 2
        livenessProbe:
          httpGet: { path: /live, port: probes }
          periodSeconds: 10
          timeoutSeconds: 5
          failureThreshold: 6
        securityContext:
          {{- include "belay.securityContext" $root | nindent 10 }}
        {{- with .values.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
      {{- with .values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.affinity | default .affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.topologySpreadConstraints | default .topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{/* The pod of one of the chart's jobs. Takes root, serviceAccount, container, args and, where it has them, volumes and mounts. */}}
{{- define "belay.jobPod" -}}
serviceAccountName: {{ .serviceAccount | quote }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
terminationGracePeriodSeconds: 5
securityContext:
  {{- include "belay.podSecurityContext" .root | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
- name: {{ .container }}
  image: {{ include "belay.image" .root | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args:
    {{- toYaml .args | nindent 2 }}
  env:
    {{- include "belay.environment" .root | nindent 2 }}
  securityContext:
    {{- include "belay.securityContext" .root | nindent 4 }}
  resources:
    requests: { cpu: 50m, memory: 64Mi }
    limits: { memory: 256Mi }
  {{- with .mounts }}
  volumeMounts:
    {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .volumes }}
volumes:
  {{- toYaml . | nindent 0 }}
{{- end }}
{{- with .root.Values.controller.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.controller.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
