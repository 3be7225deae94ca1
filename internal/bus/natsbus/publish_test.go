package natsbus

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func TestAcknowledgements(t *testing.T) {
	for _, c := range []struct {
		data  string
		plain bool
		want  uint64
	}{
		{`{"stream":"SHUNT_DONE","seq":12}`, true, 12},
		{`{"stream":"S","seq":18446744073709551615}`, true, 1<<64 - 1},
		{`{"stream":"S","seq":7,"duplicate": true}`, false, 7},
		{`{"stream":"S","domain":"hub","seq":7}`, false, 7},
		{`{"stream":"S", "seq": 7}`, false, 7},
		{`{"seq":7,"stream":"S"}`, false, 7},
		{`{"stream":"a\"b","seq":7}`, false, 7},
		{`{"stream":"S","seq":0}`, false, 0},
	} {
		got, plain := plainAck([]byte(c.data))
		if plain != c.plain || plain && got != c.want {
			t.Errorf("%s: plain %v, %d", c.data, plain, got)
		}
		if got, err := anyAck([]byte(c.data)); err != nil || got != c.want {
			t.Errorf("%s: %d, %v; want %d", c.data, got, err, c.want)
		}
	}
}

func TestRefusedAcknowledgements(t *testing.T) {
	refusal := []byte(`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"S","seq":0}`)
	if _, plain := plainAck(refusal); plain {
		t.Error("a refusal is taken for an acknowledgement")
	}
	_, err := anyAck(refusal)
	if conflict := conflictOn("s", err); conflict == nil || conflict.Last != 3 {
		t.Errorf("a refusal is read as %v", err)
	}
	for _, data := range []string{``, `{}`, `null`, `{"stream":"","seq":1}`, `{"stream":"S","seq":-1}`, `{"stream":"S","seq":1`, `{"stream":"S"`} {
		if _, plain := plainAck([]byte(data)); plain {
			t.Errorf("%q is taken for an acknowledgement", data)
		}
		if _, err := anyAck([]byte(data)); !errors.Is(err, jetstream.ErrInvalidJSAck) {
			t.Errorf("%q: %v", data, err)
		}
	}
}
