# What a deploy needs beyond a promotion, and the records and agreements that both need.
package gatehouse.gate

import rego.v1

passed contains "target.allowed" if {
	is_object(facts.target)
	some pattern in environment.targets
	is_string(pattern.namespace)
	every key, value in pattern { facts.target[key] == value }
}

explain["target.allowed"] contains sprintf("target %s is not one of the environment's", [place])

place := sprintf("%s %s/%s in %s", [facts.target.kind, facts.target.namespace, facts.target.name, holder]) if {
	holder := object.get(facts.target, "cluster", object.get(facts.target, "host", "(nowhere)"))
} else := "(nothing)"

agreed contains service.id if {
	some service in facts.services
	in_force(service)
}

passed contains "services.agreement" if {
	count(environment.services) > 0
	every service in environment.services { service in agreed }
}

explain["services.agreement"] contains sprintf("no agreement with %s is in force", [service]) if {
	some service in environment.services
	not service in agreed
}

owed.promote := {"run.opened", "change.reviewed", "build.completed", "sbom.created", "artifact.signed", "scan.completed"}

owed.deploy := owed.promote | {"gate.decided", "approval.decided"}

recorded contains receipt.type if some receipt in facts.receipts

passed contains "evidence.recorded" if {
	count(owed[facts.stage]) > 0
	count(owed[facts.stage] - recorded) == 0
}

explain["evidence.recorded"] contains sprintf("no record %s", [type]) if some type in (owed[facts.stage] - recorded)

seen["evidence.recorded"] contains receipt.key if some receipt in facts.receipts

secure := {"TLSv1.2", "TLSv1.3"}

verified_endpoint(endpoint) if {
	some entry in facts.tls
	entry.endpoint == endpoint
	fresh(entry.time, environment.maxEvidenceAge)
	entry.notAfter > input.now
	count(entry.acceptedProtocols) > 0
	every protocol in entry.acceptedProtocols { protocol in secure }
}

passed contains "tls.verified" if {
	is_array(environment.endpoints)
	every endpoint in environment.endpoints { verified_endpoint(endpoint) }
}

explain["tls.verified"] contains sprintf("%s was not verified", [endpoint]) if {
	some endpoint in environment.endpoints
	not verified_endpoint(endpoint)
}
