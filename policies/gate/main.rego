# The gate's verdict, one entry a rule.
#
# A rule passes only when its body proves it: `passed` is filled positively, so that a fact that is missing, null or of
# another type leaves the rule undefined and therefore failed. Nothing here can pass by finding no violation.
#
# input: { facts: gatehouse/facts/1, contract: gatehouse/policy-contract/1, now: milliseconds }
package gatehouse.gate

import rego.v1

result := {"reasons": reasons, "waivers": used_waivers}

# Sets have no order of their own (engines differ): what is shown is sorted.
reasons := [reason |
	some id, rule in catalogue
	input.facts.stage in rule.stages
	reason := {
		"rule": id,
		"outcome": outcome(id),
		"message": message(id, rule, outcome(id)),
		"fix": rule.fix,
		"evidence": sort([key | some key in evidence[id]]),
	}
]

outcome(id) := "skipped" if {
	skipped[id]
} else := "waived" if {
	id in waived
} else := "pass" if {
	id in passed
} else := "fail"

message(id, rule, verdict) := skipped[id] if {
	verdict == "skipped"
} else := concat("; ", sort(explained[id])) if {
	verdict in {"fail", "waived"}
	count(explained[id]) > 0
} else := rule.title if {
	verdict == "pass"
} else := sprintf("not shown: %s", [rule.title])

# What a failing rule says; rules without a word of their own say that their title was not shown.
explained[id] contains text if {
	some id, texts in explain
	some text in texts
}

evidence[id] contains key if {
	some id, keys in seen
	some key in keys
}

facts := input.facts

environment := input.contract.environments[facts.environment]

profile_local if input.contract.profile == "local"

# Not in the future (but for a clock's skew) and not older than the limit, both in milliseconds.
fresh(at, limit) if {
	is_number(at)
	input.now - at <= limit
	input.now - at >= 0 - input.contract.maxSkew
}

in_force(window) if {
	window.effective <= input.now
	input.now < window.expires
}

# Words for messages. Only %s and %d: other placeholders print differently in the Wasm evaluator and in opa.
word(value) := value if {
	is_string(value)
} else := "(nothing)"

words(values) := concat(", ", sort(values)) if {
	count(values) > 0
} else := "(none)"

plural(n, noun) := sprintf("%d %s", [n, noun]) if {
	n == 1
} else := sprintf("%d %ss", [n, noun])
