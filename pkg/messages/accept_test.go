package messages_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestJobsThatAreFine are those that a stricter reader might refuse.
func TestJobsThatAreFine(t *testing.T) {
	for _, body := range []string{
		run(``), run(`,"args":{}`), run(`,"timeout":"0s","retain":"0s"`), run(`,"timeout":null`),
		run(`,"kind":"service","policy":{"deadline":"1h"}`),
		run(`,"service":"s","replica":4294967295,"attempt":18446744073709551615`),
		run(`,"policy":{"backoff":{"min":"10m"}}`), // max has its default
		op("start", ``), op("start", `,"kind":"service","service":"web"`), op("start", `,"container":"web-rep-0"`),
		op("stop", `,"service":"web","replica":2`), op("stop", `,"args":{"container":"web-rep-0","timeout":"5s"}`),
		op("stop", `,"container":"a","args":{"container":"a"}`),
		op("kill", `,"container":"a"`), op("kill", `,"container":"a","args":{"signal":"sigrtmin+3"}`),
		op("pull", `,"target":"n","args":{"image":"web"},"spec":{"registry_auth":{"sealed":"eA=="}}`),
		op("prune", `,"target":"n"`), op("revoke", `,"args":{"attempt":1}`),
		spec(`,"platform":{"os":"macos"}`), spec(`,"platform":{"os":"linux","arch":"amd64","os_version":""}`),
		spec(`,"platform":{"os":"windows"},"workdir":"C:\\srv","mounts":[{"type":"bind","source":"\\\\.\\pipe\\x","target":"\\\\.\\pipe\\x"}]`),
		spec(`,"mounts":[{"type":"bind","source":"C:\\data","target":"/data"}]`),
		spec(`,"ports":[{"container":53,"host":53,"protocol":"udp"},{"container":53,"host":53}]`),
		spec(`,"ports":[{"container":80,"host":0},{"container":80,"host":0,"host_ip":"::1"}]`),
		spec(`,"ulimits":{"nofile":{"soft":-1,"hard":-1},"core":{"soft":0,"hard":-1}}`),
		spec(`,"devices":["/dev/fuse","/dev/sda:/dev/xvda:rw"]`), spec(`,"devices":["class/5B45201D"],"platform":{"os":"windows"}`),
		spec(`,"resources":{"cpuset":"0"},"entrypoint":[],"cap_add":["ALL","CAP_SYS_ADMIN"]`),
		spec(`,"health":{"command":["true"]},"stop_signal":"9"`),
	} {
		if _, err := messages.Decode[messages.Job]([]byte(body)); err != nil {
			t.Errorf("%s is refused: %v", body, err)
		}
	}
}

// TestMacosIsDarwin follows the alias to where it is used.
func TestMacosIsDarwin(t *testing.T) {
	job, err := messages.Decode[messages.Job]([]byte(spec(`,"platform":{"os":"macos","arch":"arm64"}`)))
	if err != nil || job.Platform() != (messages.Platform{OS: messages.Darwin, Arch: "arm64"}) {
		t.Errorf("macos is read as %v, %v; want darwin/arm64", job.Platform(), err)
	}
}

// TestDecodeSaysWhoseItWas lets a rejection be addressed, as far as the body was
// read before its fault.
func TestDecodeSaysWhoseItWas(t *testing.T) {
	job, err := messages.Decode[messages.Job]([]byte(`{"v":1,"id":"web-42","op":"run","attempt":3,"timeout":90}`))
	if err == nil || job.ID != "web-42" || job.Attempt != 3 {
		t.Errorf("the job that was refused is %q, attempt %d (%v); want web-42, 3", job.ID, job.Attempt, err)
	}
}

// TestEmptyBodies: a request may say nothing, everything else must speak.
func TestEmptyBodies(t *testing.T) {
	if _, err := messages.DecodeRequest[messages.ListRequest]([]byte(" \n")); err != nil {
		t.Errorf("an empty list request is refused: %v", err)
	}
	if _, err := messages.DecodeRequest[messages.ContainerRequest](nil); messages.AsError(err).Field != "container" {
		t.Errorf("an empty inspect is refused with %v; want the container missing", err)
	}
	if _, err := messages.Decode[messages.Cancel](nil); messages.AsError(err).Code != messages.CodeMalformed {
		t.Errorf("an empty cancel is refused with %v; want malformed", err)
	}
}

func TestCheckSubject(t *testing.T) {
	const root = messages.Root("shunt")
	job := &messages.Job{ID: "web-42", Target: "linux-1"}
	for _, c := range []struct {
		subject string
		message any
		field   string // of the disagreement; empty: none
	}{
		{root.Job("web-42"), job, ""},
		{root.Job("web-43"), job, "id"},
		{root.Command("linux-1"), job, ""},
		{root.Command("win-1"), job, "target"},
		{root.Command("win-1"), &messages.Job{ID: "web-42"}, ""},
		{root.Outcome("n", "j"), &messages.Outcome{Node: "n", Job: "j"}, ""},
		{root.Outcome("n", "j"), &messages.Outcome{Node: "m", Job: "j"}, "node"},
		{root.Outcome("n", "j"), &messages.Outcome{Node: "n", Job: "k"}, "job"},
		{root.Outcome("n", "j"), &messages.Outcome{Node: "n", Status: messages.StatusRejected}, ""},
		{root.Done("j"), &messages.Record{Job: messages.Job{ID: "k"}}, "job.id"},
		{root.Lease("n"), &messages.Lease{Node: "m"}, "node"},
		{root.Capabilities("n"), &messages.Capabilities{Node: "m"}, "node"},
		{root.Placers("p"), &messages.PlacerBeat{ID: "q"}, "id"},
		{root.Event("n", messages.EventExited), &messages.Event{Node: "n", Kind: messages.EventDead}, "kind"},
		{root.Event(messages.PlacerNode, messages.EventDead), &messages.Event{Node: messages.PlacerNode, Kind: messages.EventDead}, ""},
		{root.NodeVerb("n", messages.VerbDrain), &messages.DrainRequest{}, ""},
		{root.NodeVerb("n", messages.VerbDrain), &messages.DrainRequest{Node: "m"}, "node"},
		{root.PlacerVerb(messages.PlacerDrain), &messages.DrainRequest{}, "node"},
		{root.PlacerVerb(messages.PlacerInfo), &messages.EmptyRequest{}, ""},
		{"another.job.web-42", job, "id"},
	} {
		err := root.CheckSubject(c.subject, c.message)
		if (err == nil) != (c.field == "") || err != nil && messages.AsError(err).Field != c.field {
			t.Errorf("%T on %s: %v; want a disagreement about %q", c.message, c.subject, err, c.field)
		}
	}
}

func TestParseSignal(t *testing.T) {
	for s, want := range map[string]int{
		"TERM": 15, "SIGTERM": 15, "sigkill": 9, "HUP": 1, "USR2": 12, "9": 9, "64": 64,
		"RTMIN": 34, "RTMIN+3": 37, "SIGRTMAX-1": 63, "RTMAX": 64,
		"": 0, "0": 0, "65": 0, "-9": 0, "+9": 0, "SIG": 0, "TERMINATE": 0, "RTMIN-1": 0, "RTMIN+31": 0, "RTMAX+1": 0,
	} {
		if got, ok := messages.ParseSignal(s); ok != (want != 0) || ok && got != want {
			t.Errorf("%q is signal %d, %t; want %d", s, got, ok, want)
		}
	}
}
