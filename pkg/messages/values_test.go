package messages_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestRefuseKeepsTheNewest(t *testing.T) {
	var job messages.Job
	for i := range messages.MaxRefused + 3 {
		job.Refuse(messages.Refusal{Node: fmt.Sprint(i)})
	}
	if len(job.Refused) != messages.MaxRefused || job.RefusedDropped != 3 || job.Refused[0].Node != "3" {
		t.Errorf("%d refusals from node %s on, %d dropped; want %d from 3 on, 3 dropped",
			len(job.Refused), job.Refused[0].Node, job.RefusedDropped, messages.MaxRefused)
	}
}

func TestRememberKeepsBothEnds(t *testing.T) {
	var record messages.Record
	for i := range messages.MaxHistory + 10 {
		before := record.History
		record.Remember(messages.History{Event: fmt.Sprint(i), Reason: strings.Repeat("x", 2*messages.MaxReasonLength)})
		if len(before) > 0 && before[0].Event != "0" {
			t.Fatal("a history that somebody else holds has changed")
		}
	}
	first, last := record.History[0], record.History[messages.MaxHistory-1]
	if len(record.History) != messages.MaxHistory || record.HistoryDropped != 10 || first.Event != "0" || last.Event != fmt.Sprint(messages.MaxHistory+9) {
		t.Errorf("%d events from %s to %s, %d dropped", len(record.History), first.Event, last.Event, record.HistoryDropped)
	}
	if err := last.Validate(); err != nil {
		t.Errorf("what is remembered is not valid: %v", err)
	}
}

func TestTruncateReason(t *testing.T) {
	for _, reason := range []string{"", "short", strings.Repeat("x", messages.MaxReasonLength), strings.Repeat("ü🚃", messages.MaxReasonLength)} {
		got := messages.TruncateReason(reason)
		if len(got) > messages.MaxReasonLength || !utf8.ValidString(got) {
			t.Errorf("%d bytes become %d, valid: %t", len(reason), len(got), utf8.ValidString(got))
		}
		if len(reason) <= messages.MaxReasonLength && got != reason {
			t.Errorf("%q becomes %q without need", reason, got)
		}
	}
}

func TestRoomFits(t *testing.T) {
	room := messages.Room{CPUMilli: 1000, Memory: 100, PIDs: 10, GPU: 1}
	for _, c := range []struct {
		want messages.Resources
		fits bool
	}{
		{messages.Resources{}, true},
		{messages.Resources{CPUMilli: 1000, Memory: 100, PIDs: 10, GPU: 1}, true},
		{messages.Resources{CPUMilli: 1001}, false},
		{messages.Resources{Memory: 101}, false},
		{messages.Resources{PIDs: 11}, false},
		{messages.Resources{GPU: 2}, false},
	} {
		if got := room.Fits(c.want); got != c.fits {
			t.Errorf("%+v fits: %t; want %t", c.want, got, c.fits)
		}
	}
}

func TestSubjects(t *testing.T) {
	const root = messages.Root("fleet")
	for got, want := range map[string]string{
		root.Outcome("linux-1", "web-42"):                                    "fleet.outcome.linux-1.web-42",
		root.NodeVerb("linux-1", messages.VerbLogs):                          "fleet.node.linux-1.logs",
		root.PlacerVerb(messages.PlacerExplain):                              "fleet.placer.explain",
		root.Stream(messages.StreamIntake):                                   "FLEET_INTAKE",
		root.Token("fleet.outcome.a.b", 2):                                   "b",
		root.Token("fleet.outcome.a.b", 3):                                   "",
		root.Token("shunt.outcome.a.b", 0):                                   "",
		(&messages.Outcome{Node: "n", Job: "j", Attempt: 2, Seq: 3}).MsgID(): "n/j/2/3",
		messages.JobMsgID("j", "f"):                                          "j/f",
		messages.CancelMsgID("j"):                                            "j/cancel",
	} {
		if got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
	if messages.Root("a.b").Validate() == nil {
		t.Error("a root of two tokens is accepted")
	}
}

// TestErrorsAreDistinct wants a number for every code's header.
func TestErrorsAreDistinct(t *testing.T) {
	seen := make(map[messages.Code]bool)
	for _, code := range messages.Codes() {
		if seen[code] {
			t.Errorf("%s is listed twice", code)
		}
		seen[code] = true
		if status := code.HTTPStatus(); status < 400 || status > 599 {
			t.Errorf("%s has the number %d; want that of an error", code, status)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	auth := messages.RegistryAuth{Username: "user", Password: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, auth); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows %s", format, text)
		}
	}
}

// BenchmarkDecodeHeartbeat is what a placer does for every node and beat.
func BenchmarkDecodeHeartbeat(b *testing.B) {
	data := encode(b, samplesByName(b)["Capabilities"].Full)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := messages.Decode[messages.Capabilities](data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFingerprint is what intake does for every job.
func BenchmarkFingerprint(b *testing.B) {
	data := encode(b, samplesByName(b)["Job"].Full)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := messages.Fingerprint(data); err != nil {
			b.Fatal(err)
		}
	}
}
