-- question: What is there to show for one deploy: change, approvals, build, signature, SBOM, scans, decision, intent, outcome?
-- supports: 45 CFR 164.312(b) Audit controls (R)
-- supports: 45 CFR 164.312(c)(1) Integrity (R)
-- supports: 45 CFR 164.308(a)(4)(ii)(B) Access authorization (A)
-- parameter: deploy deploy: id of the deploy
with asked as (
  select cast(? as varchar) as deploy_id
),
deploy as (
  select d.* from deploys d join asked a on d.deploy_id = a.deploy_id
),
parts as (
  -- What the run itself did, except for its other deploys.
  select e.evidence_key
  from events e
  join deploy d on e.run = d.run
  where e.op_id is null or e.op_id = d.deploy_id
  union
  -- What is known of the image from other runs, up to the deploy.
  select e.evidence_key
  from events e
  join subjects s on s.evidence_key = e.evidence_key
  join deploy d on s.digest = d.digest and e.time <= d.time
  where e.type in ('build.completed', 'sbom.created', 'artifact.signed', 'artifact.published', 'scan.completed')
),
-- A record may hold several approvals; it is one part of the dossier.
approvers as (
  select
    evidence_key,
    array_join(array_agg(
      coalesce(person, identity, 'somebody unknown') || ' ' || coalesce(state, '')
        || coalesce(', entitled by ' || entitled_group, '')
        || case when own_change then ', had a part in the change' else '' end
      order by approved_at, person
    ), '; ') as detail
  from approvals
  group by evidence_key
),
reviewers as (
  select
    evidence_key,
    array_join(array_agg(coalesce(person, identity, 'somebody unknown') || ' ' || coalesce(state, '') order by reviewed_at, person), '; ') as detail
  from reviews
  group by evidence_key
)
select
  e.time, e.type as part, e.outcome, coalesce(p.person, e.triggered_by, e.actor) as person,
  coalesce(
    v.detail,
    case e.type
      when 'run.opened' then 'owes ' || r.required
      when 'change.reviewed' then e.ref || ' at ' || e.commit_id || ', reviews: ' || coalesce(w.detail, 'none')
      when 'build.completed' then json_extract_scalar(e.data, '$.build') || ', isolation ' || json_extract_scalar(e.data, '$.isolation')
      when 'artifact.signed' then 'by key ' || json_extract_scalar(e.data, '$.key')
      when 'artifact.published' then json_extract_scalar(e.data, '$.image')
      when 'sbom.created' then b.format || ', ' || cast(b.components as varchar) || ' components, ' || b.sbom_digest
      when 'scan.completed' then c.tool || ' ' || coalesce(c.version, '') || ', ' || c.status || ', ' || c.covers
        || ': ' || cast(c.critical as varchar) || ' critical, ' || cast(c.high as varchar) || ' high, '
        || cast(c.medium as varchar) || ' medium'
      when 'gate.decided' then g.stage || ': ' || g.outcome
      when 'deploy.intent' then 'to ' || d.target
      when 'deploy.outcome' then coalesce(d.reason, 'to ' || d.target)
    end
  ) as detail,
  e.signer, e.subject_name as subject, e.subject_digest as digest, e.leaf_index, e.remarks, e.evidence_key
from parts p0
join events e on e.evidence_key = p0.evidence_key
cross join deploy d
left join runs r on r.evidence_key = e.evidence_key
left join approvers v on v.evidence_key = e.evidence_key
left join reviewers w on w.evidence_key = e.evidence_key
left join sboms b on b.evidence_key = e.evidence_key
left join scans c on c.evidence_key = e.evidence_key
left join decisions g on g.evidence_key = e.evidence_key
left join (select evidence_key, person from deploys union all select evidence_key, person from decisions) p
  on p.evidence_key = e.evidence_key
order by e.time, e.evidence_key
