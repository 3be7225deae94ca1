package deployment

import (
	"math"
	"net/url"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// healthCheck is a check as it was read; a port of 0 is the first endpoint's.
type healthCheck struct {
	at     value
	health messages.Health
}

func (r *reader) healthCheck(v value) *healthCheck {
	c := &healthCheck{at: v}
	h := &c.health
	given := r.object(v.Node, v.path, fields{
		"start_grace": func(v value) { h.StartGrace = r.duration(v) },
		"interval":    func(v value) { h.Interval = r.duration(v) },
		"timeout":     func(v value) { h.Timeout = r.duration(v) },
		"retries":     func(v value) { h.Retries = int(r.whole(v, 1, 1000)) },
		"check":       func(v value) { r.check(h, v) },
	})
	r.requireIn(v, given, "check", "{type: tcp, port: PORT}, {type: http, url: URL} or {type: command, command: COMMAND}")
	return c
}

func (r *reader) check(h *messages.Health, v value) {
	var kind, link string
	var port uint16
	var command []string
	given := r.object(v.Node, v.path, fields{
		"type": func(v value) { kind = r.word(v, "tcp", "http", "command") },
		"port": func(v value) { port = uint16(r.whole(v, 0, math.MaxUint16)) },
		"url":  func(v value) { link = r.text(v) },
		"expect_status": func(v value) {
			if r.whole(v, 200, 200) != 200 {
				return // said already
			}
		},
		"command": func(v value) { command = r.command(v) },
	})
	r.requireIn(v, given, "type", "tcp, http or command")
	for _, belongs := range [][2]string{{"port", "tcp"}, {"url", "http"}, {"expect_status", "http"}, {"command", "command"}} {
		if field, of := belongs[0], belongs[1]; given[field] && kind != "" && of != kind {
			r.wrong(v, "%s belongs to a check of type %s, and this one is %s", field, of, kind)
		}
	}
	switch kind {
	case "tcp":
		h.TCP = &messages.HealthTCP{Port: port}
	case "http":
		r.requireIn(v, given, "url", "such as http://localhost:8080/healthz")
		h.HTTP = r.httpCheck(v, link)
	case "command":
		r.requireIn(v, given, "command", "a command line, or a list of words")
		h.Command = command
	}
}

// httpCheck takes port and path from a URL; the host is the container anyway.
func (r *reader) httpCheck(v value, link string) *messages.HealthHTTP {
	u, err := url.Parse(link)
	if link == "" {
		return nil
	}
	if err != nil || u.Scheme != "http" {
		r.wrong(value{v.Node, join(v.path, "url")}, "%q is not allowed; want one such as http://localhost:8080/healthz", link)
		return nil
	}
	port := uint64(80)
	if text := u.Port(); text != "" {
		if port, err = strconv.ParseUint(text, 10, 16); err != nil {
			r.wrong(value{v.Node, join(v.path, "url")}, "%q is no port; want one from 1 to 65535", text)
		}
	}
	return &messages.HealthHTTP{Port: uint16(port), Path: u.RequestURI()}
}

// command reads a list of words, or a line for a shell.
func (r *reader) command(v value) []string {
	if v.Kind == yaml.ScalarNode {
		return []string{"sh", "-c", v.Value}
	}
	return r.words(v)
}

// finishHealth gives a check without a port that of the first endpoint.
func (r *reader) finishHealth(s *service) {
	if s.health == nil {
		return
	}
	h := s.health.health
	if h.TCP != nil && h.TCP.Port == 0 {
		if ports := s.job.Spec.Ports; len(ports) > 0 {
			h.TCP.Port = ports[0].Container
		} else {
			r.wrong(s.health.at, "the check names no port, and there is no endpoint whose port it could take")
		}
	}
	s.job.Spec.Health = &h
}
