-- question: Which deploys did this person start, what became of each, and who approved them?
-- supports: 45 CFR 164.312(a)(2)(i) Unique user identification (R)
-- supports: 45 CFR 164.312(d) Person or entity authentication (R)
-- supports: 45 CFR 164.312(b) Audit controls (R)
-- parameter: person text: a person of the register, or an account as the platform names it
-- parameter: since time = 1970-01-01T00:00:00Z: from this moment on
-- parameter: until time = 9999-01-01T00:00:00Z: before this moment
with asked as (
  select cast(? as varchar) as person, cast(? as timestamp) as since, cast(? as timestamp) as until
)
select
  d.time, coalesce(d.person, d.identity) as person, d.outcome, d.environment, d.target, d.image, d.digest, d.approved_by,
  d.change_ticket, d.reason, d.deploy_id, d.remarks, d.evidence_key
from deploys d
cross join asked a
where (d.person = a.person or d.identity = a.person) and d.time >= a.since and d.time < a.until
order by d.time, d.evidence_key
