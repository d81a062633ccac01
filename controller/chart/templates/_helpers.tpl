{{/* The start of every name: the release, which should say "sealkit". */}}
{{- define "sealkit.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "sealkit" $name) -}}{{- $name = printf "%s-sealkit" $name -}}{{- end -}}
{{- default $name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "sealkit.controller" -}}
{{ include "sealkit.fullname" . }}-controller
{{- end -}}

{{/* What selects the pods. Cannot be changed by an upgrade. */}}
{{- define "sealkit.selector" -}}
app.kubernetes.io/name: sealkit
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "sealkit.labels" -}}
{{ include "sealkit.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sealkit
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (replace "+" "_" .Chart.Version) }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sealkit.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sealkit.controller" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sealkit.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* The rules for the namespaces worked in. It never updates a manifest, only its status. Secrets
are listed and watched as metadata only, but RBAC cannot say so. */}}
{{- define "sealkit.workRules" -}}
- apiGroups: [sealkit.dev]
  resources: [sealedsecrets]
  verbs: [get, list, watch]
- apiGroups: [sealkit.dev]
  resources: [sealedsecrets/status]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.vault.enabled }}
- apiGroups: [sealkit.dev]
  resources: [{{ ternary "vaultstores" "vaultstores, clustervaultstores" (eq (include "sealkit.vault" .) "namespaced") }}]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [serviceaccounts/token]       # as whom a store logs in
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps]                  # authorities that a store names
  verbs: [get]
{{- end }}
{{- if .Values.rolloutRestart.enabled }}
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [list, patch]
{{- end }}
{{- end -}}

{{/* Whose stores are read. Only the whole cluster has ClusterVaultStores. */}}
{{- define "sealkit.vault" -}}
{{- if not .Values.vault.enabled -}}
off
{{- else -}}
{{ ternary "namespaced" "cluster" (gt (len .Values.watchNamespaces) 0) }}
{{- end -}}
{{- end -}}

{{/* Who the rules are for. */}}
{{- define "sealkit.subjects" -}}
- kind: ServiceAccount
  name: {{ include "sealkit.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* The Leases: one for each shard, with a number where there are several. */}}
{{- define "sealkit.leases" -}}
{{- $names := list -}}
{{- range $shard := until (int .Values.shards) -}}
{{- $names = append $names (ternary "sealkit-controller" (printf "sealkit-controller-%d" $shard) (eq (int $.Values.shards) 1)) -}}
{{- end -}}
[{{ join ", " $names }}]
{{- end -}}
