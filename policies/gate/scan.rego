# Scans: there, complete, by a known tool, recent, and without a finding that the contract denies.
package gatehouse.gate

import rego.v1

required := {category | some category in environment.required}

# A report counts for an image by its digest, for a source category also by the commit of this run.
about_subject(scan) if scan.subject in all_digests

about_commit(scan) if scan.commit == facts.source.sha

relevant(scan) if about_subject(scan)

relevant(scan) if about_commit(scan)

# Reports that decide: of a required category, about this image or commit, and not superseded.
deciding := {index |
	some index, scan in facts.scans
	relevant(scan)
	count(required & {category | some category in scan.report.covers}) > 0
	not superseded(index)
}

# A later report of the same tool about the same thing takes the place of an earlier one only when it is complete, of an
# accepted origin, and looked things up in a database at least as new.
superseded(index) if {
	earlier := facts.scans[index]
	some later in facts.scans
	later.report.tool.name == earlier.report.tool.name
	later.subject == earlier.subject
	later.commit == earlier.commit
	count({c | some c in earlier.report.covers} - {c | some c in later.report.covers}) == 0
	made_at(later) > made_at(earlier)
	later.report.execution.status == "complete"
	accepted_origin(later)
	database_time(later) >= database_time(earlier)
}

made_at(scan) := min([scan.report.execution.finishedAt, scan.time]) if {
	is_number(scan.report.execution.finishedAt)
	is_number(scan.time)
}

database_time(scan) := scan.report.tool.database.builtAt if {
	is_number(scan.report.tool.database.builtAt)
} else := 0

named(scan) := sprintf("%s on %s", [scan.report.tool.name, word(subject_name(scan))])

subject_name(scan) := scan.subject if {
	scan.subject != null
} else := scan.commit

missing contains sprintf("no %s scan of %s", [category, digest]) if {
	some category in required
	category == "container"
	some digest in content_subjects
	not scanned_image(category, digest)
}

missing contains sprintf("no %s scan of %s", [category, facts.source.sha]) if {
	some category in required
	category != "container"
	not scanned_source(category)
	not scanned_images(category)
}

scanned_image(category, digest) if {
	some scan in facts.scans
	scan.subject == digest
	category in scan.report.covers
}

scanned_images(category) if every digest in content_subjects { scanned_image(category, digest) }

scanned_source(category) if {
	some scan in facts.scans
	about_commit(scan)
	category in scan.report.covers
}

passed contains "scan.present" if {
	count(required) > 0
	count(content_subjects) > 0
	count(missing) == 0
}

explain["scan.present"] contains text if some text in missing

seen["scan.present"] contains facts.scans[index].from if some index in deciding

passed contains "scan.complete" if every index in deciding { facts.scans[index].report.execution.status == "complete" }

explain["scan.complete"] contains sprintf("%s is %s (%s)", [named(scan), scan.report.execution.status, words([r.code | some r in scan.report.execution.reasons])]) if {
	some index in deciding
	scan := facts.scans[index]
	scan.report.execution.status != "complete"
}

accepted_origin(scan) if scan.report.origin == "executed"

accepted_origin(scan) if {
	scan.report.origin == "imported"
	is_string(scan.report.importer)
	count(not_vouched_for(scan)) == 0
}

# Required categories that the report covers and whose scanner does not name its importer: each category has importers of its own.
not_vouched_for(scan) := {category |
	some category in required
	category in scan.report.covers
	not scan.report.importer in input.contract.scanners[category].importers
}

passed contains "scan.origin" if every index in deciding { accepted_origin(facts.scans[index]) }

explain["scan.origin"] contains sprintf("%s was imported by %s, which the contract does not name for %s", [named(scan), word(scan.report.importer), words(not_vouched_for(scan))]) if {
	some index in deciding
	scan := facts.scans[index]
	not accepted_origin(scan)
}

# For each required category that the report covers its tool must be allowed.
allowed_tool(scan) if {
	every category in required & {c | some c in scan.report.covers} { allowed_for(scan.report.tool, category) }
}

allowed_for(tool, category) if {
	some allowed in input.contract.scanners[category].tools
	allowed.name == tool.name
	either([allowed.versions == null, listed_in(allowed.versions, tool.version)])
	either([allowed.digests == null, listed_in(allowed.digests, tool.digest)])
}

listed_in(values, value) if {
	is_array(values)
	value in values
} else := false

passed contains "scan.tool" if every index in deciding { allowed_tool(facts.scans[index]) }

explain["scan.tool"] contains sprintf("%s version %s is not allowed", [scan.report.tool.name, word(scan.report.tool.version)]) if {
	some index in deciding
	scan := facts.scans[index]
	not allowed_tool(scan)
}

passed contains "scan.fresh" if {
	every index in deciding {
		fresh(made_at(facts.scans[index]), environment.maxEvidenceAge)
		fresh(max([facts.scans[index].report.execution.finishedAt, facts.scans[index].time]), environment.maxEvidenceAge)
	}
}

explain["scan.fresh"] contains sprintf("%s is %s", [named(scan), age(made_at(scan))]) if {
	some index in deciding
	scan := facts.scans[index]
	not fresh(made_at(scan), environment.maxEvidenceAge)
}

explain["scan.fresh"] contains sprintf("%s does not say when it ended or was signed", [named(scan)]) if {
	some index in deciding
	scan := facts.scans[index]
	not made_at(scan)
}

explain["scan.fresh"] contains sprintf("%s says a time in the future", [named(scan)]) if {
	some index in deciding
	scan := facts.scans[index]
	some at in [scan.report.execution.finishedAt, scan.time]
	at > input.now + input.contract.maxSkew
}

# Categories whose scanner has a database limit in the contract.
database_limits(scan) := [limit |
	some category in scan.report.covers
	category in required
	limit := input.contract.scanners[category].databaseMaxAge
	limit != null
]

fresh_database(scan) if {
	every limit in database_limits(scan) { fresh(scan.report.tool.database.builtAt, limit) }
}

# Judged over complete scans; one that is not fails scan.complete, and may have come to no database at all.
passed contains "scan.database" if every index in completed { fresh_database(facts.scans[index]) }

completed contains index if {
	some index in deciding
	facts.scans[index].report.execution.status == "complete"
}

explain["scan.database"] contains sprintf("the database of %s is %s", [named(scan), database_age(scan)]) if {
	some index in completed
	scan := facts.scans[index]
	not fresh_database(scan)
}

database_age(scan) := age(scan.report.tool.database.builtAt) if {
	is_number(scan.report.tool.database.builtAt)
} else := "of unknown age"
