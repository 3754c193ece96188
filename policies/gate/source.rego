# The change: where it stands, who made it, who looked at it.
package gatehouse.gate

import rego.v1

passed contains "source.ref" if {
	facts.source.ref in environment.refs
	facts.source.protected == true
	facts.source.reachableFromProtected == true
	facts.source.ref == facts.run.ref
	facts.source.sha == facts.run.sha
	facts.source.repositoryId == facts.run.repositoryId
}

explain["source.ref"] contains sprintf("ref %s is not one of %s", [facts.source.ref, words(environment.refs)]) if not facts.source.ref in environment.refs

explain["source.ref"] contains sprintf("ref %s is not protected", [facts.source.ref]) if facts.source.protected == false

explain["source.ref"] contains sprintf("commit %s is not reachable from a protected ref", [facts.source.sha]) if facts.source.reachableFromProtected == false

explain["source.ref"] contains "the source is not the one that the run says" if facts.source.sha != facts.run.sha

explain["source.ref"] contains "the source is not the one that the run says" if facts.source.ref != facts.run.ref

passed contains "source.event" if facts.run.event in environment.events

explain["source.event"] contains sprintf("event %s is not one of %s", [facts.run.event, words(environment.events)])

passed contains "source.people" if {
	count(facts.source.people) > 0
	some starter in facts.source.people
	starter["as"] == "trigger"
	some author in facts.source.people
	author["as"] == "author"
	every person in facts.source.people { is_string(person.personId) }
}

explain["source.people"] contains sprintf("the %s is no known person", [person["as"]]) if {
	some person in facts.source.people
	person.personId == null
}

explain["source.people"] contains sprintf("nobody is named as %s", [part]) if {
	some part in ["author", "trigger"]
	not named_as(part)
}

named_as(part) if {
	some person in facts.source.people
	person["as"] == part
}

# Everybody with a part in the change or in this run.
involved contains person.personId if some person in facts.source.people

# A reviewer's last word counts; a comment takes nothing back.
reviewers contains reviewer if {
	some review in facts.source.reviews
	reviewer := review.personId
	is_string(reviewer)
	not reviewer in involved
	review.state == "approved"
	last_word(review)
}

last_word(review) if {
	every other in facts.source.reviews {
		either([other.personId != review.personId, other.state == "commented", other.at <= review.at])
	}
}

either(conditions) if true in conditions

objections contains review.personId if {
	some review in facts.source.reviews
	review.state == "changes_requested"
	not withdrawn(review)
}

withdrawn(review) if {
	is_string(review.personId)
	some later in facts.source.reviews
	later.personId == review.personId
	later.at > review.at
	later.state in {"approved", "dismissed"}
}

passed contains "source.reviewed" if {
	count(objections) == 0
	count(reviewers) >= environment.reviews
}

explain["source.reviewed"] contains sprintf("%d of %d reviews by people other than the authors", [count(reviewers), environment.reviews])

explain["source.reviewed"] contains sprintf("%s asked for changes", [word(who)]) if some who in objections
