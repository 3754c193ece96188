-- question: Which components came into a target with one deploy, that the deploy before it did not have?
-- supports: 45 CFR 164.308(a)(1)(ii)(A) Risk analysis (R)
-- supports: 45 CFR 164.308(a)(5)(ii)(B) Protection from malicious software (A)
-- parameter: deploy deploy: id of the deploy
with asked as (
  select cast(? as varchar) as deploy_id
),
deploy as (
  select d.* from deploys d join asked a on d.deploy_id = a.deploy_id
),
previous as (
  select p.digest, p.deploy_id, row_number() over (order by p.time desc, p.evidence_key desc) as n
  from deploys p
  join deploy d on p.target = d.target and p.environment = d.environment and p.time < d.time
  where p.outcome = 'success'
),
-- The newest readable SBOM of each image.
listed as (
  select b.digest, b.sbom_digest, b.evidence_key, row_number() over (partition by b.digest order by b.time desc, b.evidence_key desc) as n
  from sboms b
  where b.readable and not b.contested
),
present as (
  select c.type, c.name, c.version, c.purl, l.evidence_key
  from deploy d
  join listed l on l.digest = d.digest and l.n = 1
  join components c on c.sbom_digest = l.sbom_digest
),
earlier as (
  select c.type, c.name, c.version, c.purl
  from previous p
  join listed l on l.digest = p.digest and l.n = 1
  join components c on c.sbom_digest = l.sbom_digest
  where p.n = 1
),
answer as (
  select
    n.name, n.version, n.type, n.purl,
    case when exists (select 1 from earlier e where e.name = n.name and e.type = n.type) then 'another version' else 'new' end as change,
    n.evidence_key
  from present n
  where not exists (
    select 1 from earlier e
    where e.name = n.name and e.type = n.type and coalesce(e.version, '') = coalesce(n.version, '') and coalesce(e.purl, '') = coalesce(n.purl, '')
  )
  union all
  -- An answer that cannot be given must not look like the answer "none".
  select null, null, null, null, 'unknown: no SBOM of the deployed image can be read', d.evidence_key
  from deploy d
  where not exists (select 1 from listed l where l.digest = d.digest)
  union all
  select null, null, null, null, 'no earlier deploy of this target: everything counts as new', d.evidence_key
  from deploy d
  where not exists (select 1 from previous)
  union all
  select null, null, null, null, 'no SBOM of the image before it can be read: everything counts as new', d.evidence_key
  from deploy d
  where exists (select 1 from previous)
    and not exists (select 1 from previous p join listed l on l.digest = p.digest where p.n = 1)
)
select
  a.change, a.name, a.version, a.type, a.purl, d.target, d.digest,
  (select p.digest from previous p where p.n = 1) as previous_digest, d.deploy_id, a.evidence_key
from answer a
cross join deploy d
order by a.name nulls first, a.version, a.type, a.purl, a.change
