-- question: Which exceptions were granted, which were used, and when was break-glass used?
-- supports: 45 CFR 164.308(a)(1)(ii)(B) Risk management (R)
-- supports: 45 CFR 164.312(a)(2)(ii) Emergency access procedure (R)
-- supports: 45 CFR 164.308(a)(1)(ii)(C) Sanction policy (R)
-- parameter: since time = 1970-01-01T00:00:00Z: from this moment on
-- parameter: until time = 9999-01-01T00:00:00Z: before this moment
with asked as (
  select cast(? as timestamp) as since, cast(? as timestamp) as until
),
said as (
  select
    e.time, e.type as event, e.environment, e.subject_name as subject, e.subject_digest as digest,
    json_extract_scalar(e.data, '$.id') as exception_id,
    json_extract_scalar(e.data, '$.requester') as requester,
    json_extract_scalar(e.data, '$.approver') as approver,
    json_extract_scalar(e.data, '$.ticket') as ticket,
    json_extract_scalar(e.data, '$.reason') as reason,
    json_extract_scalar(e.data, '$.expires') as expires,
    e.remarks, e.evidence_key
  from events e
  where e.type in ('exception.granted', 'exception.used', 'breakglass.used')
  union all
  -- A rule that passed only because a waiver of the register excuses what failed it.
  select
    g.time, 'rule waived: ' || r.rule, g.environment, g.image, g.digest, null, null, null, null, r.message, null, g.remarks,
    g.evidence_key
  from reasons r
  join decisions g on g.evidence_key = r.evidence_key
  where r.outcome = 'waived'
)
select s.*
from said s
cross join asked a
where s.time >= a.since and s.time < a.until
order by s.time, s.evidence_key, s.event
