// Package nothinghere answers for names and paths that lead to no application, and for applications of which nothing
// runs. Traefik reads this source itself when it starts, so that the pages are there whenever the router is, also while
// Cabestan's server is stopped.
package nothinghere

import (
	"context"
	"html"
	"net/http"
	"os"
	"strings"
)

// where the image has the pages
const place = "/plugins-local/src/cabestan/nothinghere/"

// Config says what answers: nothing is deployed there, or what is deployed is down.
type Config struct {
	Down bool `json:"down,omitempty"`
}

// CreateConfig is called by Traefik.
func CreateConfig() *Config { return &Config{} }

type page struct {
	before, after, mark string
	status              int
}

// New reads the page once. What comes next in the chain is never asked.
func New(_ context.Context, _ http.Handler, config *Config, _ string) (http.Handler, error) {
	file, mark, status := "page.html", "none", http.StatusNotFound
	if config.Down {
		file, mark, status = "down.html", "down", http.StatusServiceUnavailable
	}
	content, err := os.ReadFile(place + file)
	if err != nil {
		return nil, err
	}
	before, after, _ := strings.Cut(string(content), "{{address}}")
	return &page{before, after, mark, status}, nil
}

// ServeHTTP tells which address was asked for; of what is deployed elsewhere it knows nothing.
func (p *page) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	header := answer.Header()
	header.Set("Cabestan-Route", p.mark)
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if p.status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "30")
	}
	answer.WriteHeader(p.status)
	if request.Method == http.MethodHead {
		return
	}
	_, _ = answer.Write([]byte(p.before + html.EscapeString(asked(request)) + p.after))
}

// asked is host and path, cut where they are long
func asked(request *http.Request) string {
	address := request.Host + request.URL.Path
	if len(address) > 300 {
		address = strings.ToValidUTF8(address[:300], "") + "…"
	}
	return address
}
