# Approvals, judged as a chain: each rule asks for enough people among those who passed the rules before it, so that one and
# the same person has passed them all, and only the first rule that leaves too few fails.
package gatehouse.gate

import rego.v1

rejections contains approval.personId if {
	some approval in facts.approvals
	approval.state == "rejected"
}

approved contains approval if {
	some approval in facts.approvals
	approval.state == "approved"
	is_string(approval.personId)
	approval.at <= input.now + input.contract.maxSkew
}

people(approvals) := {approval.personId | some approval in approvals}

entitled contains approval if {
	some approval in approved
	approval.entitlement.active == true
	approval.entitlement.group in environment.approvals.groups
	fresh(approval.entitlement.at, input.contract.registerMaxAge)
}

independent contains approval if {
	some approval in entitled
	not approval.personId in involved
}

strength_rank := {"job": 1, "run": 2, "digest": 3}

strong contains approval if {
	some approval in independent
	strength_rank[approval.strength] >= strength_rank[environment.approvals.strength]
	bound(approval)
}

# An approval that names a digest names one of ours.
bound(approval) if {
	approval.strength != "digest"
	approval.digest == null
}

bound(approval) if approval.digest in all_digests

# The sets are nested, so one of them says all that went before but for a rejection.
enough_after_presence(approvals) if {
	present
	enough(approvals)
}

enough(approvals) if count(people(approvals)) >= environment.approvals.number

passed contains "approval.present" if present

present if {
	environment.approvals.number > 0
	count(rejections) == 0
	enough(approved)
}

explain["approval.present"] contains sprintf("%d of %d approvals", [count(people(approved)), environment.approvals.number])

explain["approval.present"] contains sprintf("%s rejected it", [word(who)]) if some who in rejections

explain["approval.present"] contains "an approver is no known person" if {
	some approval in facts.approvals
	approval.personId == null
}

passed contains "approval.entitled" if enough(entitled)

skipped["approval.entitled"] := "not judged: approval.present failed" if not present

explain["approval.entitled"] contains sprintf("%s is no active member of %s", [who, words(environment.approvals.groups)]) if some who in (people(approved) - people(entitled))

passed contains "approval.independent" if enough(independent)

skipped["approval.independent"] := "not judged: an earlier approval rule failed" if not enough_after_presence(entitled)

explain["approval.independent"] contains sprintf("%s approved a change of their own: they are its %s", [who, words(roles_of(who))]) if some who in (people(entitled) - people(independent))

roles_of(who) := {person["as"] | some person in everybody; person.personId == who}

passed contains "approval.strength" if enough(strong)

skipped["approval.strength"] := "not judged: an earlier approval rule failed" if not enough_after_presence(independent)

explain["approval.strength"] contains sprintf("the approval of %s is bound to the %s; the contract demands %s", [approval.personId, approval.strength, environment.approvals.strength]) if some approval in (independent - strong)

seen["approval.present"] contains approval.from if some approval in facts.approvals
