# The images: where they came from and what vouches for them. All or nothing over the subjects.
package gatehouse.gate

import rego.v1

passed contains "subject.registry" if {
	count(facts.subjects) > 0
	every subject in facts.subjects { from_allowed(subject.name) }
	every registry in facts.registries { from_allowed(sprintf("%s/", [registry])) }
}

from_allowed(name) if {
	some registry in input.contract.registries
	startswith(name, sprintf("%s/", [registry]))
}

explain["subject.registry"] contains sprintf("%s is not in one of %s", [subject.name, words(input.contract.registries)]) if {
	some subject in facts.subjects
	not from_allowed(subject.name)
}

passed contains "subject.revoked" if {
	is_array(facts.revoked)
	every subject in facts.subjects { not subject.digest in facts.revoked }
}

explain["subject.revoked"] contains sprintf("%s is revoked", [subject.digest]) if {
	some subject in facts.subjects
	subject.digest in facts.revoked
}

# An index is signed and has provenance, but what is in it is scanned and listed child by child.
has_children if {
	some subject in facts.subjects
	subject.platform != null
}

content_subjects contains subject.digest if {
	some subject in facts.subjects
	subject.platform != null
}

content_subjects contains subject.digest if {
	some subject in facts.subjects
	not has_children
}

all_digests contains subject.digest if some subject in facts.subjects

covered(digests, wanted) if {
	count(wanted) > 0
	every digest in wanted { digest in digests }
}

signed contains signature.subject if {
	some signature in facts.signatures
	signature.role == "build"
}

passed contains "signature.build" if covered(signed, all_digests)

explain["signature.build"] contains sprintf("%s has no signature by role build", [digest]) if {
	some digest in all_digests
	not digest in signed
}

seen["signature.build"] contains signature.from if some signature in facts.signatures

provenance_of(digest) := [p | some p in facts.provenance; p.subject == digest]

passed contains "provenance.present" if covered({p.subject | some p in facts.provenance}, all_digests)

explain["provenance.present"] contains sprintf("%s has no provenance", [digest]) if {
	some digest in all_digests
	count(provenance_of(digest)) == 0
}

seen["provenance.present"] contains p.from if some p in facts.provenance

# The same bytes may have been built more than once, by another commit or on another machine: one provenance has to fulfil all of
# the next three, in this order. Each is judged among those who passed the one before, over the provenance that there is;
# `provenance.present` demands that each subject has some.
acceptable(digest) := [p | some p in provenance_of(digest); p.build in allowed_builds]

isolated(digest) := [p | some p in acceptable(digest); strongly_isolated(p)]

sourced(digest) := [p | some p in isolated(digest); from_source(p)]

provenanced := {digest | some digest in all_digests; count(provenance_of(digest)) > 0}

accepted := {digest | some digest in provenanced; count(acceptable(digest)) > 0}

kept_apart := {digest | some digest in accepted; count(isolated(digest)) > 0}

passed contains "provenance.built" if every digest in provenanced { count(acceptable(digest)) > 0 }

allowed_builds := {"built"} if environment.build == "built"

allowed_builds := {"built", "adopted"} if environment.build == "adopted"

explain["provenance.built"] contains sprintf("%s was %s; the contract demands %s", [p.subject, p.build, environment.build]) if {
	some p in facts.provenance
	p.subject in provenanced - accepted
}

isolation_rank := {"none": 0, "process": 1, "job": 2}

strongly_isolated(p) if p.build == "adopted"

strongly_isolated(p) if isolation_rank[p.isolation] >= isolation_rank[environment.isolation]

passed contains "provenance.isolation" if every digest in accepted { count(isolated(digest)) > 0 }

explain["provenance.isolation"] contains sprintf("%s was built with isolation %s; the contract demands %s", [p.subject, p.isolation, environment.isolation]) if {
	some p in facts.provenance
	p.subject in accepted - kept_apart
}

from_source(p) if p.build == "adopted"

from_source(p) if {
	p.build == "built"
	p.repositoryId == facts.source.repositoryId
	p.ref == facts.source.ref
	p.sha == facts.source.sha
	p.event == facts.run.event
}

passed contains "provenance.source" if every digest in kept_apart { count(sourced(digest)) > 0 }

explain["provenance.source"] contains sprintf("%s was built from %s %s at %s by %s", [p.subject, word(p.repositoryId), word(p.ref), word(p.sha), word(p.event)]) if {
	some digest in kept_apart
	count(sourced(digest)) == 0
	some p in isolated(digest)
}

listed contains sbom.subject if {
	some sbom in facts.sboms
	sbom.components > 0
}

passed contains "sbom.present" if covered(listed, content_subjects)

explain["sbom.present"] contains sprintf("%s has no SBOM with components", [digest]) if {
	some digest in content_subjects
	not digest in listed
}

seen["sbom.present"] contains sbom.from if some sbom in facts.sboms
