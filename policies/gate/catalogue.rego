# Every rule: what it demands, at which stages it is judged, and what to do when it fails. Citations stand in the control map.
package gatehouse.gate

import rego.v1

both := ["promote", "deploy"]

catalogue := {
	"environment.known": {
		"stages": both,
		"title": "the contract has rules for this environment",
		"fix": "name an environment of contract.yml, or have the platform team add this one",
	},
	"workflow_untrusted": {
		"stages": both,
		"title": "the gate runs in the one trusted workflow, by verified claims",
		"fix": "call the reusable workflow (or include the parent pipeline) of the compliance repository at a released version; a gate in a job of your own is never trusted",
	},
	"release.registered": {
		"stages": both,
		"title": "program, policy and contract are those of a release that the register lists",
		"fix": "use a released version, unchanged; or have the platform team put this release into the register",
	},
	"runner.pool": {
		"stages": both,
		"title": "the job runs in a runner pool that the contract allows",
		"fix": "run the job on a runner of an allowed pool",
	},
	"clock.trusted": {
		"stages": both,
		"title": "the time of the decision comes from a time stamping authority",
		"fix": "configure trust.timestamp in the contract and check that the authority answers",
	},
	"register.fresh": {
		"stages": both,
		"title": "the register is fresh enough for revocations to be seen",
		"fix": "publish a new register with `gatehouse register publish`",
	},
	"subject.registry": {
		"stages": both,
		"title": "every image comes from a registry that the contract allows",
		"fix": "push the image to an allowed registry, by the build-sign step",
	},
	"subject.revoked": {
		"stages": both,
		"title": "no image is revoked",
		"fix": "build a new image; a revoked digest is never promoted again",
	},
	"source.ref": {
		"stages": both,
		"title": "the commit is on a protected ref that the contract allows",
		"fix": "merge the change to a protected branch that the environment allows and promote from there",
	},
	"source.event": {
		"stages": both,
		"title": "the run was started by an event that the contract allows",
		"fix": "start the run by an allowed event",
	},
	"source.people": {
		"stages": both,
		"title": "every author, committer and starter of the run is a known person",
		"fix": "add the platform account of each person to the register",
	},
	"source.reviewed": {
		"stages": both,
		"title": "the change was reviewed by enough people other than its authors",
		"fix": "have the change approved by someone who did not write it, on its last commit",
	},
	"provenance.present": {
		"stages": both,
		"title": "every image has provenance signed by role build",
		"fix": "build and sign the image with build-sign in this pipeline",
	},
	"provenance.built": {
		"stages": both,
		"title": "every image was built the way the contract demands",
		"fix": "build the image in this pipeline from a reviewed commit instead of adopting one",
	},
	"provenance.isolation": {
		"stages": both,
		"title": "the build was kept apart from the signing key as far as the contract demands",
		"fix": "build in one job and sign in another (build-sign phase build, then phase sign)",
	},
	"provenance.source": {
		"stages": both,
		"title": "every image was built from this run's repository, ref and commit",
		"fix": "build the image from the commit that is promoted",
	},
	"signature.build": {
		"stages": both,
		"title": "every image is signed by role build",
		"fix": "sign the image with build-sign; a signature by any other key does not count",
	},
	"sbom.present": {
		"stages": both,
		"title": "every image has a signed SBOM that lists its components",
		"fix": "sign the image with build-sign, which writes the SBOM of what is in it",
	},
	"scan.present": {
		"stages": both,
		"title": "every required scan exists for this very image or commit",
		"fix": "run the missing scan on this digest or commit",
	},
	"scan.complete": {
		"stages": both,
		"title": "every required scan ran to its end",
		"fix": "look at the scanner's log, mend what stopped it and scan again; an incomplete scan is never clean",
	},
	"scan.origin": {
		"stages": both,
		"title": "every required scan was run by our scan job or comes from an importer that the contract names",
		"fix": "let the scan step run the tool, or have the platform team name the importer in the contract",
	},
	"scan.tool": {
		"stages": both,
		"title": "every required scan was made by an allowed tool and version",
		"fix": "scan with a tool and version that the contract allows",
	},
	"scan.fresh": {
		"stages": both,
		"title": "every required scan is recent enough and not from the future",
		"fix": "scan again",
	},
	"scan.database": {
		"stages": both,
		"title": "every vulnerability database was recent enough",
		"fix": "update the scanner's database and scan again",
	},
	"scan.findings": {
		"stages": both,
		"title": "no finding is as severe as the contract denies",
		"fix": "mend the findings, or have a waiver for this finding and digest put into the register",
	},
	"services.agreement": {
		"stages": both,
		"title": "an agreement is in force with every business associate that the environment reaches",
		"fix": "renew the agreement and have its dates put into the register",
	},
	"evidence.recorded": {
		"stages": both,
		"title": "every earlier stage left a signed record",
		"fix": "run the missing stage; a stage without its record did not happen",
	},
	"target.allowed": {
		"stages": ["deploy"],
		"title": "the target belongs to the environment",
		"fix": "deploy to a target that the contract lists for this environment",
	},
	"tls.verified": {
		"stages": ["deploy"],
		"title": "every listed endpoint was seen to refuse anything below TLS 1.2",
		"fix": "verify the endpoints again; turn old protocol versions off",
	},
	"approval.present": {
		"stages": ["deploy"],
		"title": "enough known people approved and nobody rejected",
		"fix": "have the deployment approved by the people whom the environment names",
	},
	"approval.entitled": {
		"stages": ["deploy"],
		"title": "enough approvers are active members of a group that may approve",
		"fix": "have it approved by an active member of an approver group of this environment",
	},
	"approval.independent": {
		"stages": ["deploy"],
		"title": "enough approvers had no part in the change",
		"fix": "have it approved by someone who did not write, commit, push, start or re-run this change",
	},
	"approval.strength": {
		"stages": ["deploy"],
		"title": "enough approvals are bound to this digest or run as firmly as the contract demands",
		"fix": "approve in the way that the contract's strength names: in the promotion's pull request (digest) or after the promote decision (run)",
	},
}
