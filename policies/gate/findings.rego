# Findings that the contract denies, and the waivers that excuse them one by one.
package gatehouse.gate

import rego.v1

denied_severity(severity) if severity in environment.denySeverities

denied_severity("unknown") if environment.unknownSeverity != "allow"

# Suppressed findings block like any other: what excuses a finding is a waiver in the register, not a file in the judged repository.
blocking contains {"index": index, "position": position} if {
	some index in deciding
	some position, finding in facts.scans[index].report.findings
	denied_severity(finding.severity)
}

excused_by[waiver.id] contains place if {
	some place in blocking
	finding := facts.scans[place.index].report.findings[place.position]
	some waiver in facts.waivers
	waiver.fingerprint == finding.fingerprint
	waiver.digest in all_digests
	in_force(waiver)
	waiver.requester != waiver.approver
}

excused contains place if some place in excused_by[_]

used_waivers := sort([id | some id, places in excused_by; count(places) > 0])

standing := blocking - excused

# Every scan that is judged must say what it found: an unreadable list would count as none.
findings_readable if {
	every index in deciding { is_array(facts.scans[index].report.findings) }
}

passed contains "scan.findings" if {
	count(environment.denySeverities) > 0
	findings_readable
	count(standing) == 0
}

waived contains "scan.findings" if {
	findings_readable
	count(standing) == 0
	count(excused) > 0
}

# The first ten, worst first; the report has them all.
explain["scan.findings"] contains sprintf("%s that the contract denies: %s", [plural(count(standing), "finding"), concat(", ", array.slice(worst, 0, 10))]) if count(standing) > 0

worst := [sprintf("%s %s %s (%s)", [finding.severity, finding.rule, where(finding), scan.report.tool.name]) |
	some severity in ["critical", "high", "unknown", "medium", "low", "info"]
	some place in sort(standing)
	scan := facts.scans[place.index]
	finding := scan.report.findings[place.position]
	finding.severity == severity
]

where(finding) := sprintf("in %s %s", [finding.location.package, word(finding.location.version)]) if {
	finding.location.package != null
} else := sprintf("at %s", [finding.location.path]) if {
	finding.location.path != null
} else := ""

explain["scan.findings"] contains sprintf("waived by %s: %s", [words(used_waivers), plural(count(excused), "finding")]) if count(excused) > 0

seen["scan.findings"] contains facts.scans[place.index].from if some place in blocking
