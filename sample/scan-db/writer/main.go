// Writer turns the advisories in this folder into the databases that scanners read when they are offline:
//
//	writer trivy CACHE FILE.yaml...     CACHE/db/trivy.db and its metadata
//	writer osv CACHE FILE.json...       CACHE/osv-scalibr/Go/all.zip and CACHE/osv-scanner/Go/all.zip
package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"log"
	"os"
	"path/filepath"
	"time"

	fixtures "github.com/aquasecurity/bolt-fixtures"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: writer trivy|osv CACHE FILE...")
	}
	write := map[string]func(string, []string) error{"trivy": writeTrivy, "osv": writeOsv}[os.Args[1]]
	if write == nil {
		log.Fatalf("there is no database %q: trivy or osv", os.Args[1])
	}
	if err := write(os.Args[2], os.Args[3:]); err != nil {
		log.Fatal(err)
	}
}

func writeTrivy(cache string, files []string) error {
	folder := filepath.Join(cache, "db")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	loader, err := fixtures.New(filepath.Join(folder, "trivy.db"), files)
	if err != nil {
		return err
	}
	if err := errors.Join(loader.Load(), loader.Close()); err != nil {
		return err
	}
	now := time.Now().UTC()
	metadata, err := json.Marshal(map[string]any{
		"Version": 2, "UpdatedAt": now, "DownloadedAt": now, "NextUpdate": now.AddDate(0, 0, 1),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "metadata.json"), metadata, 0o644)
}

func writeOsv(cache string, files []string) error {
	for _, reader := range []string{"osv-scalibr", "osv-scanner"} {
		folder := filepath.Join(cache, reader, "Go")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := writeZip(filepath.Join(folder, "all.zip"), files); err != nil {
			return err
		}
	}
	return nil
}

func writeZip(path string, files []string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		entry, err := archive.Create(filepath.Base(file))
		if err != nil {
			return err
		}
		if _, err := entry.Write(text); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), out.Close())
}
