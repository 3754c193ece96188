-- question: Where and when was this very image deployed, or refused?
-- supports: 45 CFR 164.312(c)(1) Integrity (R)
-- supports: 45 CFR 164.312(b) Audit controls (R)
-- parameter: digest digest: digest of the image, sha256:…
with asked as (
  select cast(? as varchar) as digest
)
select
  d.time, d.digest, d.outcome, d.environment, d.target, d.image, coalesce(d.person, d.identity) as person, d.approved_by,
  d.change_ticket, d.reason, d.deploy_id, d.remarks, d.evidence_key
from deploys d
cross join asked a
where d.digest = a.digest
order by d.time, d.evidence_key
