# Where, when and by what the gate itself runs.
package gatehouse.gate

import rego.v1

passed contains "environment.known" if count(environment.required) > 0

explain["environment.known"] contains sprintf("environment %s is not in the contract", [facts.environment])

skipped.workflow_untrusted := "profile local: there is no workflow to verify" if profile_local

passed contains "workflow_untrusted" if {
	is_string(facts.workflow.jobRef)
	is_string(facts.workflow.jobSha)
}

passed contains "release.registered" if is_string(facts.workflow.release)

explain["release.registered"] contains "the register lists no release with these digests and this commit" if facts.workflow.release == null

explain.workflow_untrusted contains sprintf("the gate runs in %s at %s, which is not the trusted workflow", [word(facts.workflow.jobRef), word(facts.workflow.jobSha)])

skipped["runner.pool"] := "profile local: there is no runner to verify" if profile_local

passed contains "runner.pool" if facts.runner.pool in environment.runnerPools

explain["runner.pool"] contains sprintf("runner pool %s is not one of %s", [facts.runner.pool, words(environment.runnerPools)])

skipped["clock.trusted"] := "clock: local: profile local judges by the machine's own time" if profile_local

passed contains "clock.trusted" if facts.clock == "tsa"

explain["clock.trusted"] contains sprintf("clock: %s", [facts.clock])

passed contains "register.fresh" if {
	fresh(facts.register.time, input.contract.registerMaxAge)
	facts.register.number >= facts.register.openedWith
	is_number(facts.register.openedWith)
}

explain["register.fresh"] contains sprintf("register %d is older than number %d, which the run saw when it was opened", [facts.register.number, facts.register.openedWith]) if {
	facts.register.openedWith > facts.register.number
}

explain["register.fresh"] contains "no record run.opened of this attempt says which register the run saw; after \"Re-run failed jobs\" on GitHub there is none: use \"Re-run all jobs\"" if {
	facts.register.openedWith == null
}

explain["register.fresh"] contains sprintf("register %d is %s", [facts.register.number, age(facts.register.time)])

seen["register.fresh"] contains facts.register.digest

age(at) := sprintf("%s old", [plural(floor((input.now - at) / 60000), "minute")]) if input.now >= at

else := sprintf("%s in the future", [plural(ceil((at - input.now) / 60000), "minute")])
