-- question: Which deploys lack a link of their approval chain, or have one that the ledger contradicts, and which link?
-- supports: 45 CFR 164.308(a)(4)(ii)(B) Access authorization (A)
-- supports: 45 CFR 164.308(a)(3)(ii)(A) Authorization and/or supervision (A)
-- supports: 45 CFR 164.308(a)(1)(ii)(D) Information system activity review (R)
-- parameter: since time = 1970-01-01T00:00:00Z: from this moment on
-- parameter: until time = 9999-01-01T00:00:00Z: before this moment
with asked as (
  select cast(? as timestamp) as since, cast(? as timestamp) as until
),
-- What happened, and what was announced without anybody saying what became of it. A refusal changes nothing and owes nothing.
deployed as (
  select d.*
  from deploys d
  cross join asked a
  where (d.outcome in ('success', 'failure', 'unknown') or (d.outcome = 'error' and d.intent_key is not null))
    and d.time >= a.since and d.time < a.until
),
allowed as (
  select d.evidence_key, g.decision_id, e.stored_at
  from deployed d
  join decisions g
    on g.decision_id = d.decision_id and g.run = d.run and g.environment = d.environment and g.digest = d.digest
   and g.stage = 'deploy' and g.outcome = 'allow' and not g.contested
  join events e on e.evidence_key = g.evidence_key
),
links as (
  select 'no record of the deploy''s intent' as missing, d.evidence_key
  from deployed d
  where d.intent_key is null
  union all
  select 'nobody recorded what became of it', d.evidence_key
  from deployed d
  where d.outcome = 'unknown'
  union all
  select 'no decision of the gate allows it: for this image, environment and run', d.evidence_key
  from deployed d
  where not exists (select 1 from allowed w where w.evidence_key = d.evidence_key)
  union all
  -- By the store's clock: those of two machines may differ.
  select 'the decision was recorded after the intent', d.evidence_key
  from deployed d
  join allowed w on w.evidence_key = d.evidence_key
  join events i on i.evidence_key = d.intent_key
  where w.stored_at > i.stored_at
  union all
  select 'the image was not judged for promotion in this run', d.evidence_key
  from deployed d
  where not exists (
    select 1 from decisions g
    where g.run = d.run and g.stage = 'promote' and g.outcome = 'allow' and g.digest = d.digest
      and g.environment = d.environment and not g.contested
  )
  union all
  select 'no approval by somebody who is entitled and had no part in the change', d.evidence_key
  from deployed d
  where not exists (
    select 1
    from approvals p
    join allowed w on w.evidence_key = d.evidence_key and p.decision_id = w.decision_id
    where p.run = d.run and p.state = 'approved' and p.person is not null and p.entitled and not p.own_change
      and not p.contested
  )
  union all
  select 'no record of the change and its reviews', d.evidence_key
  from deployed d
  where not exists (
    select 1 from events e where e.run = d.run and e.type = 'change.reviewed' and not e.contested
  )
  union all
  select 'the run was never opened, so nothing says what it owes', d.evidence_key
  from deployed d
  where not exists (
    select 1 from events e where e.run = d.run and e.type = 'run.opened' and not e.contested
  )
  union all
  select 'the ledger finds ' || f.code || ': ' || f.detail, d.evidence_key
  from deployed d
  join store_findings f on f.evidence_key = d.evidence_key or f.evidence_key = d.intent_key or f.evidence_key = d.decision_key
    or (f.run = d.run and f.code in ('MISSING_STAGE', 'MANIFEST_MISSING', 'MANIFEST_MISMATCH', 'DELETED', 'MODIFIED'))
)
select
  d.time, l.missing, d.environment, d.target, d.image, d.digest, coalesce(d.person, d.identity) as person, d.outcome,
  d.deploy_id, d.run, d.remarks, d.evidence_key
from deployed d
join links l on l.evidence_key = d.evidence_key
order by d.time, d.evidence_key, l.missing
