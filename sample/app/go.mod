module registry.example/care/lab-results

go 1.24.0

// The Go that made the committed binary: another one makes other bytes.
toolchain go1.26.8

// Both are old on purpose: public databases know flaws of these versions, and the sample is there to be scanned.
require (
	golang.org/x/crypto v0.16.0
	gopkg.in/yaml.v2 v2.2.7
)
