-- question: What was refused, for which reason, and how often did each reason occur?
-- supports: 45 CFR 164.308(a)(1)(ii)(B) Risk management (R)
-- supports: 45 CFR 164.308(a)(1)(ii)(D) Information system activity review (R)
-- supports: 45 CFR 164.312(a)(1) Access control (R)
-- parameter: since time = 1970-01-01T00:00:00Z: from this moment on
-- parameter: until time = 9999-01-01T00:00:00Z: before this moment
with asked as (
  select cast(? as timestamp) as since, cast(? as timestamp) as until
),
refused as (
  select g.evidence_key, g.time, g.environment, g.image, g.digest, g.run, g.person, g.remarks, 'gate, ' || coalesce(g.stage, 'unknown stage') as refused_by
  from decisions g
  where g.outcome <> 'allow'
  union all
  select d.evidence_key, d.time, d.environment, d.image, d.digest, d.run, coalesce(d.person, d.identity), d.remarks, 'deploy'
  from deploys d
  where d.outcome in ('denied', 'error')
)
select
  r.rule, count(*) over (partition by r.rule) as times, f.time, f.refused_by, f.environment, f.image, f.digest, f.person,
  r.message, r.fix, f.run, f.remarks, f.evidence_key
from refused f
cross join asked a
join reasons r on r.evidence_key = f.evidence_key and r.outcome in ('fail', 'error')
where f.time >= a.since and f.time < a.until
order by times desc, r.rule, f.time, f.evidence_key
