// Package nothinghere answers for names and paths that lead to no application. Traefik reads this source itself when
// it starts, so that the page is there whenever the router is, also while Cabestan's server is stopped.
package nothinghere

import (
	"context"
	"html"
	"net/http"
	"os"
	"strings"
)

// where the image has the page
const place = "/plugins-local/src/cabestan/nothinghere/page.html"

// Config has no options.
type Config struct{}

// CreateConfig is called by Traefik.
func CreateConfig() *Config { return &Config{} }

type page struct{ before, after string }

// New reads the page once. What comes next in the chain is never asked.
func New(_ context.Context, _ http.Handler, _ *Config, _ string) (http.Handler, error) {
	content, err := os.ReadFile(place)
	if err != nil {
		return nil, err
	}
	before, after, _ := strings.Cut(string(content), "{{address}}")
	return &page{before, after}, nil
}

// ServeHTTP tells which address was asked for; of what is deployed elsewhere it knows nothing.
func (p *page) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	header := answer.Header()
	header.Set("Cabestan-Route", "none")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	answer.WriteHeader(http.StatusNotFound)
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
