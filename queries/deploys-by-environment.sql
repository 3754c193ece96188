-- question: What was deployed to this environment, by whom, approved by whom, and what was refused?
-- supports: 45 CFR 164.308(a)(1)(ii)(D) Information system activity review (R)
-- supports: 45 CFR 164.312(b) Audit controls (R)
-- parameter: environment text: an environment of the contract
-- parameter: since time = 1970-01-01T00:00:00Z: from this moment on
-- parameter: until time = 9999-01-01T00:00:00Z: before this moment
with asked as (
  select cast(? as varchar) as environment, cast(? as timestamp) as since, cast(? as timestamp) as until
)
select
  d.time, d.environment, d.outcome, coalesce(d.person, d.identity) as person, d.approved_by, d.target, d.image, d.digest,
  d.change_ticket, d.reason, d.deploy_id, d.remarks, d.evidence_key
from deploys d
cross join asked a
where d.environment = a.environment and d.time >= a.since and d.time < a.until
order by d.time, d.evidence_key
