-- question: Which images contain this component, and where was each of them deployed last?
-- supports: 45 CFR 164.308(a)(1)(ii)(A) Risk analysis (R)
-- supports: 45 CFR 164.308(a)(1)(ii)(B) Risk management (R)
-- supports: 45 CFR 164.308(a)(5)(ii)(B) Protection from malicious software (A)
-- parameter: name text: name of the component as the SBOM has it, or its package URL without a version
-- parameter: version text = *: one version, or * for any
with asked as (
  select cast(? as varchar) as name, cast(? as varchar) as version
),
found as (
  select b.image, b.digest, c.name, c.version, c.type, c.purl, b.evidence_key, b.remarks
  from components c
  join sboms b on b.sbom_digest = c.sbom_digest
  cross join asked a
  where (c.name = a.name or c.purl = a.name or starts_with(c.purl, a.name || '@'))
    and (a.version = '*' or c.version = a.version)
),
latest as (
  select
    d.digest, d.environment, d.target, d.time, d.deploy_id,
    row_number() over (partition by d.digest, d.environment, d.target order by d.time desc, d.evidence_key desc) as n
  from deploys d
  where d.outcome = 'success'
)
select
  f.name, f.version, f.image, f.digest, l.environment, l.target, l.time as last_deployed, l.deploy_id, f.type, f.purl,
  f.remarks, f.evidence_key
from found f
left join latest l on l.digest = f.digest and l.n = 1
order by f.name, f.version, f.image, f.digest, l.time, l.target, f.evidence_key
