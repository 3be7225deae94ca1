package messages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// refusal is a body and what its error must say: the code (invalid_argument
// when empty), the field, and words of the message: the value at fault, and
// what would be right.
type refusal struct {
	body  string
	code  messages.Code
	field string
	says  string
}

func checkRefusals[T any](t *testing.T, decode func([]byte) (T, error), refusals []refusal) {
	t.Helper()
	for _, r := range refusals {
		name := r.body
		if len(name) > 100 {
			name = name[:100] + "…"
		}
		t.Run(name, func(t *testing.T) {
			_, err := decode([]byte(r.body))
			e := messages.AsError(err)
			if e == nil {
				t.Fatalf("accepted; want %s refused", r.field)
			}
			want := r.code
			if want == "" {
				want = messages.CodeInvalidArgument
			}
			if e.Code != want || e.Field != r.field || !strings.Contains(e.Message, r.says) {
				t.Errorf("refused with %v;\nwant %s of %q saying %q", e, want, r.field, r.says)
			}
		})
	}
}

// run is a run job with more fields, spec is one with more fields in its spec.
func run(fields string) string {
	return `{"v":1,"id":"web-42","op":"run","spec":{"image":"web"}` + fields + `}`
}

func spec(fields string) string {
	return `{"v":1,"id":"web-42","op":"run","spec":{"image":"web"` + fields + `}}`
}

func op(name, fields string) string {
	return fmt.Sprintf(`{"v":1,"id":"op-7","op":%q%s}`, name, fields)
}

func TestJobRefusals(t *testing.T) {
	checkRefusals(t, messages.Decode[messages.Job], []refusal{
		{`{"v":1,"op":"run"}`, "", "id", "is missing; want 1 to 128 characters"},
		{`{"v":1,"id":"_x","op":"run"}`, "", "id", `"_x" is not allowed`},
		{`{"v":1,"id":"` + strings.Repeat("x", 129) + `","op":"prune"}`, "", "id", "1 to 128"},
		{`{"v":1,"id":"a"}`, "", "op", "is missing; want one of run, create"},
		{`{"v":1,"id":"a","op":"fly"}`, "", "op", `"fly" is not allowed; want one of run, create`},
		{run(`,"kind":"daemon"`), "", "kind", "want one of task, service"},
		{run(`,"kind":"service","timeout":"1s"`), "", "timeout", "policy.deadline"},
		{op("stop", `,"container":"c","kind":"service"`), "", "kind", "only run, create and start"},
		{run(`,"service":"a.b"`), "", "service", `"a.b"`},
		{run(`,"service":"` + strings.Repeat("s", 123) + `"`), "", "service", "want at most 122 characters: the container's name"},
		{run(`,"service":"` + strings.Repeat("s", 123) + `"`), "", "service", "would have 129, and 128 are allowed"},
		{`{"v":1,"id":"` + strings.Repeat("s", 123) + `","op":"run","replica":10,"spec":{"image":"x"}}`, "", "id", "want at most 121 characters, or a service of at most that many beside it"},
		{run(`,"replica":-1`), messages.CodeMalformed, "replica", "0 to 4294967295"},
		{run(`,"container":"c"`), "", "container", "is given to run"},
		{run(`,"args":{"container":"c"}`), "", "args.container", "is given to run"},
		{run(`,"args":{"timeout":"1s"}`), "", "args.timeout", "is given to run, which reads replace"},
		{run(`,"target":"a b"`), "", "target", `"a b"`},
		{run(`,"timeout":"-1s"`), "", "timeout", `"-1s" is not allowed; want a duration of zero or more`},
		{run(`,"timeout":90`), messages.CodeMalformed, "timeout", `90 is not a duration; want a string such as "90s"`},
		{run(`,"retain":"1 hour"`), messages.CodeMalformed, "retain", "1 hour"},
		{run(`,"requires":{"labels":{"":"x"}}`), "", `requires.labels[""]`, "a name of 1 to 253"},
		{run(`,"policy":{"reroute":"maybe"}`), "", "policy.reroute", "want one of auto, never"},
		{run(`,"policy":{"on_node_loss":"cry"}`), "", "policy.on_node_loss", "reschedule, wait, fail"},
		{run(`,"policy":{"on_partition":"run"}`), "", "policy.on_partition", "keep, stop"},
		{run(`,"policy":{"max_attempts":-1}`), "", "policy.max_attempts", "0 or more"},
		{run(`,"policy":{"backoff":{"min":"2s","max":"1s"}}`), "", "policy.backoff.min", `"2s" is not allowed; want at most max, 1s`},
		{run(`,"refused":[{"node":"n","code":"mood"}]`), "", "refused[0].code", "platform, os_version"},
		{run(`,"refused":[` + strings.Repeat(`{"node":"n","code":"labels"},`, 64) + `{"node":"n","code":"labels"}]`), "", "refused", "has 65 entries; at most 64"},
		{run(`,"created":"2026-13-01T00:00:00Z"`), messages.CodeMalformed, "created", "RFC 3339"},
	})
}

func TestOpRefusals(t *testing.T) {
	checkRefusals(t, messages.Decode[messages.Job], []refusal{
		{op("run", ""), "", "spec", "run needs one"},
		{op("create", `,"spec":{}`), "", "spec.image", "is missing"},
		{op("stop", ""), "", "container", "or a service and replica; stop needs one"},
		{op("stop", `,"container":"a","args":{"container":"b"}`), "", "args.container", `"a"`},
		{op("stop", `,"container":"a","args":{"signal":"KILL"}`), "", "args.signal", "is given to stop, which reads timeout"},
		{op("kill", `,"container":"a","args":{"signal":"SIGNATURE"}`), "", "args.signal", "TERM, KILL"},
		{op("rename", `,"container":"a"`), "", "args.new_name", "is missing"},
		{op("exec", `,"container":"a"`), "", "args.cmd", "is missing; want a program"},
		{op("exec", `,"container":"a","args":{"cmd":[""]}`), "", "args.cmd[0]", "a program"},
		{op("exec", `,"container":"a","args":{"cmd":["a\u0000b"]}`), "", "args.cmd[0]", "without NUL"},
		{op("exec", `,"container":"a","args":{"cmd":["a"],"env":{"A=B":"1"}}`), "", `args.env["A=B"]`, "neither = nor NUL"},
		{op("exec", `,"container":"a","args":{"cmd":["a"],"workdir":"srv"}`), "", "args.workdir", `"srv"`},
		{op("pull", `,"args":{"image":"web"}`), "", "target", "pull needs one"},
		{op("pull", `,"target":"n"`), "", "args.image", "is missing"},
		{op("pull", `,"target":"n","args":{"image":"web","policy":"daily"}`), "", "args.policy", "always, newer"},
		{op("pull", `,"target":"n","args":{"image":"-web"}`), "", "args.image", "image reference"},
		{op("pull", `,"target":"n","container":"c","args":{"image":"web"}`), "", "container", "is given to pull"},
		{op("tag", `,"target":"n","args":{"target":"b"}`), "", "args.source", "is missing"},
		{op("tag", `,"target":"n","args":{"source":"a"}`), "", "args.target", "is missing"},
		{op("remove_image", `,"target":"n"`), "", "args.image", "is missing"},
		{op("prune", ``), "", "target", "prune needs one"},
		{op("prune", `,"target":"n","args":{"force":true}`), "", "args.force", "which reads no arguments"},
		{op("revoke", ``), "", "args.attempt", "1 or more"},
	})
}

func TestSpecRefusals(t *testing.T) {
	checkRefusals(t, messages.Decode[messages.Job], []refusal{
		{spec(`,"pull":"daily"`), "", "spec.pull", "if_not_present"},
		{spec(`,"platform":{"os":"plan9"}`), "", "spec.platform.os", "linux, windows or darwin"},
		{spec(`,"platform":{"arch":"amd/64"}`), "", "spec.platform.arch", "amd64 or arm64"},
		{spec(`,"isolation":"vm"`), "", "spec.isolation", "auto, process, hyperv"},
		{spec(`,"env":{"":"x"}`), "", `spec.env[""]`, "not empty"},
		{spec(`,"env":{"A":1}`), messages.CodeMalformed, `spec.env["A"]`, "1 is of the wrong type; want a string"},
		{spec(`,"workdir":"C:\\srv","platform":{"os":"linux"}`), "", "spec.workdir", "on linux, such as /data"},
		{spec(`,"user":"a\nb"`), "", "spec.user", "control characters"},
		{spec(`,"groups":[""]`), "", "spec.groups[0]", "a group"},
		{spec(`,"resources":{"memory":-1}`), "", "spec.resources.memory", "0 or more"},
		{spec(`,"resources":{"cpuset":"3-1"}`), "", "spec.resources.cpuset", "0-3,8"},
		{spec(`,"resources":{"cpuset":"0,,1"}`), "", "spec.resources.cpuset", "0-3,8"},
		{spec(`,"ports":[{"container":1},{"container":0}]`), "", "spec.ports[1].container", "1 to 65535"},
		{spec(`,"ports":[{"container":70000}]`), messages.CodeMalformed, "spec.ports[0].container", "70000 is of the wrong type; want a whole number from 0 to 65535"},
		{spec(`,"ports":[{"container":1,"protocol":"sctp"}]`), "", "spec.ports[0].protocol", `"sctp" is not allowed; want one of tcp, udp`},
		{spec(`,"ports":[{"container":1,"host_ip":"localhost"}]`), "", "spec.ports[0].host_ip", "IP address"},
		{spec(`,"ports":[{"container":1,"host":8},{"container":2,"host":8,"protocol":"tcp"}]`), "", "spec.ports[1].host", "ports[0]"},
		{spec(`,"mounts":[{"type":"nfs","target":"/a"}]`), "", "spec.mounts[0].type", "bind, volume, anonymous, tmpfs"},
		{spec(`,"mounts":[{"type":"tmpfs","target":"a"}]`), "", "spec.mounts[0].target", "absolute path"},
		{spec(`,"mounts":[{"type":"tmpfs","target":"/"}]`), "", "spec.mounts[0].target", "below the root"},
		{spec(`,"mounts":[{"type":"tmpfs","target":"/a/../b"}]`), "", "spec.mounts[0].target", "without .."},
		{spec(`,"mounts":[{"type":"tmpfs","target":"/a"}],"platform":{"os":"windows"}`), "", "spec.mounts[0].target", `C:\data`},
		{spec(`,"mounts":[{"type":"tmpfs","target":"/a"},{"type":"anonymous","target":"/a"}]`), "", "spec.mounts[1].target", "mounts[0]"},
		{spec(`,"mounts":[{"type":"bind","target":"/a"}]`), "", "spec.mounts[0].source", "is missing"},
		{spec(`,"mounts":[{"type":"volume","source":"../x","target":"/a"}]`), "", "spec.mounts[0].source", "volume's name"},
		{spec(`,"mounts":[{"type":"tmpfs","source":"x","target":"/a"}]`), "", "spec.mounts[0].source", "no source"},
		{spec(`,"mounts":[{"type":"volume","source":"x","target":"/a","size":1}]`), "", "spec.mounts[0].size", "tmpfs only"},
		{spec(`,"network":"bridge"`), "", "spec.network", "default, host, none, container:<name>"},
		{spec(`,"network":"container:a.b"`), "", "spec.network", "container:a.b"},
		{spec(`,"hostname":"-a"`), "", "spec.hostname", "host name"},
		{spec(`,"dns":["dns.example"]`), "", "spec.dns[0]", "IP address"},
		{spec(`,"extra_hosts":{"db":"db2"}`), "", `spec.extra_hosts["db"]`, "IP address"},
		{spec(`,"restart":{}`), "", "spec.restart.policy", "on_failure"},
		{spec(`,"restart":{"policy":"no","delay":"-1s"}`), "", "spec.restart.delay", "-1s"},
		{spec(`,"health":{}`), "", "spec.health", "exactly one of http, tcp and command"},
		{spec(`,"health":{"tcp":{"port":1},"http":{"port":1}}`), "", "spec.health", `"http and tcp"`},
		{spec(`,"health":{"http":{"port":1,"path":"x"}}`), "", "spec.health.http.path", "/healthz"},
		{spec(`,"health":{"tcp":{}}`), "", "spec.health.tcp.port", "1 to 65535"},
		{spec(`,"health":{"command":[]}`), "", "spec.health.command", "a program"},
		{spec(`,"health":{"tcp":{"port":1},"interval":"5 s"}`), messages.CodeMalformed, "spec.health.interval", "5 s"},
		{spec(`,"stop_signal":"65"`), "", "spec.stop_signal", "1 to 64"},
		{spec(`,"cap_add":["net_admin"]`), "", "spec.cap_add[0]", "NET_ADMIN"},
		{spec(`,"devices":["/dev/fuse:/dev/fuse:x"]`), "", "spec.devices[0]", "/dev/fuse"},
		{spec(`,"sysctls":{"../x":"1"}`), "", `spec.sysctls["../x"]`, "kernel parameter"},
		{spec(`,"ulimits":{"files":{"soft":1,"hard":1}}`), "", `spec.ulimits["files"]`, "nofile"},
		{spec(`,"ulimits":{"nofile":{"soft":2,"hard":1}}`), "", `spec.ulimits["nofile"].soft`, "at most hard, 1"},
		{spec(`,"registry_auth":{"username":"u","password":"p"}`), "", "spec.registry_auth.password", "plain credentials are refused"},
		{spec(`,"registry_auth":{"sealed":"hunter2!"}`), "", "spec.registry_auth.sealed", "is not base64"},
		{spec(`,"registry_auth":"hunter2"`), messages.CodeMalformed, "spec.registry_auth", "is not an object"},
	})
}

// TestRegistryAuthIsNotShown looks for secrets in what is said of them.
func TestRegistryAuthIsNotShown(t *testing.T) {
	for _, auth := range []string{`"hunter2"`, `{"sealed":"hunter2!"}`, `{"password":"hunter2"}`, `["hunter2"]`, `{"sealed":["hunter2"]}`} {
		_, err := messages.Decode[messages.Job]([]byte(spec(`,"registry_auth":` + auth)))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error is %v", auth, err)
		}
	}
}

func TestOutcomeAndRecordRefusals(t *testing.T) {
	checkRefusals(t, messages.Decode[messages.Outcome], []refusal{
		{`{"v":1,"job":"j","node":"n","status":"lost"}`, "", "status", "accepted, running"},
		{`{"v":1,"job":"j","node":"_placer","status":"completed"}`, "", "status", "rejected"},
		{`{"v":1,"job":"j","node":"n","status":"route_to_peer"}`, "", "route_to_peer", "is missing"},
		{`{"v":1,"node":"n","status":"rejected"}`, "", "error", "is missing"},
		{`{"v":1,"job":"j","node":"n","status":"failed"}`, "", "error", "is missing"},
		{`{"v":1,"node":"n","status":"accepted"}`, "", "job", "is missing"},
		{`{"v":1,"job":"j","node":"n","status":"failed","error":{"code":"oops"}}`, "", "error.code", "already_exists"},
		{`{"v":1,"job":"j","node":"n","status":"accepted","job_body":{"v":1,"id":"k","op":"prune","target":"n"}}`, "", "job_body.id", `"k" disagrees with job, which says "j"`},
		{`{"v":1,"job":"j","node":"n","status":"accepted","job_body":{"v":1,"id":"j","op":"run","spec":{"image":"x","registry_auth":{"password":"p"}}}}`, "", "job_body.spec.registry_auth.password", "plain"},
		{`{"v":1,"job":"j","node":"n","status":"completed","result":{"exit_reason":"bored"}}`, "", "result.exit_reason", "oom_killed"},
		{`{"v":1,"job":"j","node":"n","status":"completed","result":{"image_digest":"latest"}}`, "", "result.image_digest", "sha256:"},
	})
	checkRefusals(t, messages.Decode[messages.Record], []refusal{
		{`{"v":1,"job":{"v":1,"id":"j","op":"run"},"state":"pending"}`, "", "job.spec", "run needs one"},
		{`{"v":1,"job":{"v":2,"id":"j","op":"run"},"state":"pending"}`, messages.CodeUnsupportedVersion, "job.v", "2"},
		{`{"v":1,"job":{"v":1,"id":"j","op":"prune","target":"n"},"state":"running"}`, "", "node", "the node that holds"},
		{`{"v":1,"job":{"v":1,"id":"j","op":"prune","target":"n"},"state":"pending","fences":[{"node":"n"}]}`, "", "fences[0].attempt", "1 or more"},
		{`{"v":1,"job":{"v":1,"id":"j","op":"prune","target":"n"},"state":"pending","fingerprint":"x"}`, "", "fingerprint", "64 hexadecimal"},
		{`{"v":1,"job":{"v":1,"id":"j","op":"prune","target":"n"},"state":"pending","outcome":{"v":1,"job":"k","node":"n","status":"accepted"}}`, "", "outcome.job", "disagrees"},
	})
}

// What one page calls next, the next one takes, however long an image's reference
// is.
func TestACursorHoldsTheLongestReference(t *testing.T) {
	image := messages.ImageInfo{Reference: "r.example/" + strings.Repeat("a", 1<<10-len("r.example/")), Digest: "sha256:" + strings.Repeat("a", 64), Runtime: "primary"}
	if err := image.Validate(); err != nil {
		t.Fatal(err)
	}
	req := messages.ImagesRequest{V: messages.Version, Page: messages.Page{Cursor: image.Reference + " " + image.Digest + " " + image.Runtime}}
	if err := req.Validate(); err != nil {
		t.Errorf("the cursor behind it is refused: %v", err)
	}
	req.Cursor = strings.Repeat("a", messages.MaxCursorLength+1)
	if e := messages.AsError(req.Validate()); e == nil || e.Field != "cursor" {
		t.Errorf("a cursor without end: %v", e)
	}
}
