package main

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"time"
)

// json prints a value as JSON.
func (a *app) json(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// list prints a sequence as it comes: a table row by row, or one JSON array.
// However long it is, no more than a page of it is kept.
func list[T any](a *app, head []string, items iter.Seq2[T, error], row func(*T) []string) error {
	if a.output == "json" {
		return jsonList(a.out, items)
	}
	t := newTable(a.out, head)
	some := false
	for item, err := range items {
		if err != nil && some {
			_ = t.flush() // what there is
		}
		if err == nil {
			some, err = true, t.row(row(&item)...)
		}
		if err != nil {
			return err
		}
	}
	return t.flush()
}

// jsonList writes an array, an entry a line.
func jsonList[T any](w io.Writer, items iter.Seq2[T, error]) error {
	lead := "[\n"
	for item, err := range items {
		if err != nil {
			return err // and no end: half a list is not a list
		}
		data, err := json.Marshal(item)
		if err == nil {
			_, err = io.WriteString(w, lead+"  "+string(data))
		}
		if err != nil {
			return err
		}
		lead = ",\n"
	}
	end := "\n]\n"
	if lead == "[\n" {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

// follow prints what comes, line by line, until ctx ends: a table without a
// head, or a JSON document a line. That the person ends it is no error.
func follow[T any](ctx context.Context, a *app, items iter.Seq2[T, error], line func(*T) string) error {
	enc := json.NewEncoder(a.out)
	for item, err := range items {
		if err != nil && ctx.Err() != nil && a.timeout == 0 {
			return nil
		}
		if err == nil && a.output == "json" {
			err = enc.Encode(item)
		} else if err == nil {
			_, err = io.WriteString(a.out, line(&item)+"\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// paced gives up a sequence whose next page does not come in time, however long
// all of it takes.
func paced[T any](ctx context.Context, within time.Duration, items func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		late := time.AfterFunc(within, func() { cancel(context.DeadlineExceeded) })
		defer late.Stop()
		for item, err := range items(ctx) {
			late.Stop()
			if !yield(item, err) { // which may take its time
				return
			}
			late.Reset(within)
		}
	}
}
