// Lab-results is the sample service: it answers with one made-up laboratory result to whoever has the token.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	"gopkg.in/yaml.v2"
)

type config struct {
	Listen    string            `yaml:"listen"`
	TokenHash string            `yaml:"token-hash-file"`
	Results   map[string]string `yaml:"results"`
}

func main() {
	path := flag.String("config", "/etc/lab-results/config.yml", "configuration file")
	check := flag.Bool("check", false, "exit 0 if a server answers at the configured address")
	flag.Parse()
	c, err := load(*path)
	if err != nil {
		log.Fatal(err)
	}
	if *check {
		if _, err := net.Dial("tcp", c.Listen); err != nil {
			os.Exit(1)
		}
		return
	}
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("GET /results/{patient}", c.answer)
	server := http.Server{Addr: c.Listen, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func load(path string) (c config, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.UnmarshalStrict(text, &c)
	}
	return c, err
}

// answer refuses everybody while there is no token hash.
func (c config) answer(w http.ResponseWriter, r *http.Request) {
	hash, err := os.ReadFile(c.TokenHash)
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err != nil || bcrypt.CompareHashAndPassword(hash, []byte(token)) != nil {
		http.Error(w, "this needs a valid token", http.StatusUnauthorized)
		return
	}
	patient := r.PathValue("patient")
	log.Printf("result of patient %s read", patient)
	if result, known := c.Results[patient]; known {
		_, _ = w.Write([]byte(result + "\n"))
		return
	}
	http.NotFound(w, r)
}
