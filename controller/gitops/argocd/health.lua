-- The health of a SealedSecret of sealkit.dev, for Argo CD: docs/integrations/argocd.md.
-- Argo CD calls this with `obj`, the live object. Only the base library is used.

local waiting = "Waiting for the controller to look at this version of the manifest"

if obj.spec ~= nil and obj.spec.suspend == true then
  return { status = "Suspended", message = "spec.suspend is set: the Secret is left as it is" }
end

local status = obj.status
if status == nil or status.conditions == nil then
  return { status = "Progressing", message = waiting }
end

-- What is said of an older version counts for nothing: not its success, and not its failure either,
-- for Argo CD ends a sync at Degraded.
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = waiting }
end

local found = {}
for _, condition in ipairs(status.conditions) do
  found[condition.type] = condition
end

local function is(kind, value)
  return found[kind] ~= nil and found[kind].status == value
end

-- The order of flux/health-check-exprs.yaml, so that both tools say the same. Of conditions that
-- differ the worse one counts.
if is("Reconciling", "True") then
  return { status = "Progressing", message = found["Reconciling"].message }
end
for _, bad in ipairs({ { "Stalled", "True" }, { "Ready", "False" }, { "Synced", "False" } }) do
  if is(bad[1], bad[2]) then
    return { status = "Degraded", message = found[bad[1]].message }
  end
end
if is("Ready", "True") then
  return { status = "Healthy", message = found["Ready"].message }
end
return { status = "Progressing", message = waiting }
