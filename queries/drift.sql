-- question: When was a cluster compared with what was approved, and what ran that was not?
-- supports: 45 CFR 164.312(c)(1) Integrity (R)
-- supports: 45 CFR 164.308(a)(1)(ii)(D) Information system activity review (R)
-- parameter: since time = 1970-01-01T00:00:00Z: from this moment on
-- parameter: until time = 9999-01-01T00:00:00Z: before this moment
with asked as (
  select cast(? as timestamp) as since, cast(? as timestamp) as until
)
select
  d.time, coalesce(d.reason, 'nothing differs') as finding, d.target, d.running, d.approved, d.workloads, d.environment,
  d.remarks, d.evidence_key
from drift d
cross join asked a
where d.time >= a.since and d.time < a.until
order by d.time, d.target, d.evidence_key
