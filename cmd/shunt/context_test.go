package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// writeContext writes a context as the nats command line does.
func writeContext(t *testing.T, name string, settings map[string]string) {
	t.Helper()
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "nats", "context")
	data, err := json.Marshal(settings)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestContextsOfTheNatsCommandLine(t *testing.T) {
	p := sitDown(t)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	p.silent = true
	writeContext(t, "here", map[string]string{"url": p.fleet.placer.URL})
	writeContext(t, "nowhere", map[string]string{"url": "nats://127.0.0.1:1"})
	writeContext(t, "bad", map[string]string{"url": p.fleet.placer.URL, "creds": "/nonexistent.creds"})
	out, _ := p.shunt(exitDone, "--context", "here", "nodes")
	p.wants(out, "linux-1")
	t.Setenv("SHUNT_CONTEXT", "here")
	p.shunt(exitDone, "nodes")
	for _, c := range []struct {
		code int
		args []string
		says []string
	}{
		{exitUnreachable, []string{"--context", "nowhere", "nodes"}, []string{`--context "nowhere"`, "not reachable", "next:"}},
		{exitBadUse, []string{"--context", "unknown", "nodes"}, []string{`--context "unknown"`, "nats context ls"}},
		{exitBadUse, []string{"--context", "bad", "nodes"}, []string{`--context "bad"`, "/nonexistent.creds"}},
		{exitBadUse, []string{"--context", "here", "--nats", "nats://127.0.0.1:1", "nodes"}, []string{"--nats", "--context"}},
	} {
		_, errOut := p.shunt(c.code, c.args...)
		p.wants(errOut, c.says...)
	}

	// What is on the command line wins over what is elsewhere.
	t.Setenv("SHUNT_CONTEXT", "nowhere")
	p.shunt(exitDone, "--nats", p.fleet.placer.URL, "nodes")
	t.Setenv("SHUNT_NATS", "nats://127.0.0.1:1")
	p.shunt(exitDone, "--context", "here", "nodes")
	_, errOut := p.shunt(exitBadUse, "nodes")
	p.wants(errOut, "want one")
}

// A context's password, token and the like are the connection's.
func TestAContextSaysWhoOneIs(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, Authorization: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	writeContext(t, "right", map[string]string{"url": s.ClientURL(), "token": "secret"})
	writeContext(t, "wrong", map[string]string{"url": s.ClientURL(), "token": "guessed"})
	for name, ok := range map[string]bool{"right": true, "wrong": false} {
		a := &app{context: name}
		a.cfg.URL = defaultURL
		_, stop, err := a.connect(t.Context())
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			stop()
		}
	}
}
