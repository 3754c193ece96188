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
	every person in everybody { is_string(person.personId) }
}

explain["source.people"] contains sprintf("the %s is no known person", [person["as"]]) if {
	some person in facts.source.people
	person.personId == null
}

explain["source.people"] contains sprintf("the %s of commit %s, which this would bring along, is no known person", [person["as"], change.sha]) if {
	some change in beneath
	some person in change.people
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

# What would be deployed along with this change, since it landed after what is deployed.
beneath := facts.source.beneath if {
	is_array(facts.source.beneath)
} else := []

# Everybody with a part in what would be deployed, or in this run.
everybody contains person if some person in facts.source.people

everybody contains person if {
	some change in beneath
	some person in change.people
}

involved contains person.personId if some person in everybody

# Who approved a change last without a part in it. A reviewer's last word counts; a comment takes nothing back.
reviewers(change) := {review.personId |
	some review in change.reviews
	is_string(review.personId)
	review.state == "approved"
	every person in change.people { person.personId != review.personId }
	last_word(review, change)
}

last_word(review, change) if {
	every other in change.reviews {
		either([other.personId != review.personId, other.state == "commented", other.at <= review.at])
	}
}

either(conditions) if true in conditions

objections(change) := {review.personId |
	some review in change.reviews
	review.state == "changes_requested"
	not withdrawn(review, change)
}

withdrawn(review, change) if {
	is_string(review.personId)
	some later in change.reviews
	later.personId == review.personId
	later.at > review.at
	later.state in {"approved", "dismissed"}
}

reviewed(change) if {
	count(objections(change)) == 0
	count(reviewers(change)) >= environment.reviews
}

# Null says that nobody was asked, which goes for profile local alone.
beneath_told if is_array(facts.source.beneath)

beneath_told if {
	facts.source.beneath == null
	facts.run.platform == "local"
}

passed contains "source.reviewed" if {
	reviewed(facts.source)
	beneath_told
	every change in beneath { reviewed(change) }
}

explain["source.reviewed"] contains sprintf("%d of %d reviews by people other than the authors", [count(reviewers(facts.source)), environment.reviews])

explain["source.reviewed"] contains sprintf("%s asked for changes", [word(who)]) if some who in objections(facts.source)

explain["source.reviewed"] contains "nothing says what this would bring along" if not beneath_told

explain["source.reviewed"] contains sprintf("commit %s, which this would bring along, has %d of %d reviews and %d objections", [change.sha, count(reviewers(change)), environment.reviews, count(objections(change))]) if {
	some change in beneath
	not reviewed(change)
}
