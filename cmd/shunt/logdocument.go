package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// outputDocument is a piece of output in JSON.
type outputDocument struct {
	Container string    `json:"container"`
	Stream    string    `json:"stream"`
	At        time.Time `json:"at,omitzero"`
	Data      string    `json:"data"`
	Encoding  string    `json:"encoding,omitzero"` // base64, where JSON cannot hold Data as it is
}

func documentOf(container, stream string, at time.Time, data []byte) outputDocument {
	d := outputDocument{Container: container, Stream: stream, At: at, Data: string(data)}
	if !utf8.Valid(data) {
		d.Data, d.Encoding = base64.StdEncoding.EncodeToString(data), "base64"
	}
	return d
}

// logDocuments shows what containers say, a document a line for each frame.
func (a *app) logDocuments(ctx context.Context, c *client.Client, places []place, req messages.LogsRequest) error {
	out := &oneAtATime{w: a.out}
	return eachPlace(places, func(p place) error {
		enc := json.NewEncoder(out) // which writes a document at once
		for f, err := range framesOf(ctx, c, p, req) {
			if err == nil {
				err = enc.Encode(documentOf(p.container, f.Stream, f.At, f.Data))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// pieces writes what a program says, a document a line for each piece.
type pieces struct {
	w                 io.Writer
	container, stream string
}

func (d *pieces) Write(p []byte) (int, error) {
	if err := json.NewEncoder(d.w).Encode(documentOf(d.container, d.stream, time.Time{}, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
