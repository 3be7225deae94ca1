package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// logging is the flags of logs.
type logging struct {
	req     messages.LogsRequest
	tail    int
	since   time.Duration
	node    string
	service string
}

func (a *app) logsCommand() *cobra.Command {
	var l logging
	cmd := &cobra.Command{
		Use:   "logs JOB… | CONTAINER… | --service SERVICE",
		Short: "show the output of containers",
		Long: "Shows the output of jobs' containers, which may have been removed since. With several of\n" +
			"them, or all replicas of a service, each line says whose it is. A follow outlives the\n" +
			"connection and the worker.",
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (l.service == "") {
				return errors.New("want the ids of jobs, the names of containers, or --service; and not both")
			}
			if l.tail >= 0 {
				l.req.Tail = &l.tail
			}
			if l.since > 0 {
				l.req.Since = time.Now().Add(-l.since)
			}
			err := a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error { return a.logs(ctx, c, args, &l) })
			if l.req.Follow && cmd.Context().Err() != nil {
				err = nil // the person has seen enough
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&l.req.Follow, "follow", "f", false, "go on until the container ends")
	f.IntVar(&l.tail, "tail", -1, "only the last `LINES`")
	f.DurationVar(&l.since, "since", 0, "only what was written within this `DURATION`")
	f.StringVar(&l.node, "node", "", "the `NODE` to ask (default: where the job is, or was last)")
	f.StringVar(&l.service, "service", "", "the live replicas of this `SERVICE`")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	return cmd
}

func (a *app) logs(ctx context.Context, c *client.Client, names []string, l *logging) error {
	places, err := a.logPlaces(ctx, c, names, l)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.logDocuments(ctx, c, places, l.req)
	}
	if len(places) == 1 {
		return copyPlace(ctx, c, places[0], l.req, a.out, a.err)
	}
	return eachPlace(places, a.logPrefixed(ctx, c, l.req))
}

// eachPlace reads all places at once.
func eachPlace(places []place, read func(place) error) error {
	errs := make([]error, len(places))
	var wg sync.WaitGroup
	for i, p := range places {
		wg.Go(func() {
			if err := read(p); err != nil {
				errs[i] = fmt.Errorf("%s on %s: %w", p.container, p.node, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// logPrefixed shows the output of one of several, line by line.
func (a *app) logPrefixed(ctx context.Context, c *client.Client, req messages.LogsRequest) func(place) error {
	var mu sync.Mutex
	return func(p place) error {
		out, errOut := newPrefixed(a.out, &mu, p.container), newPrefixed(a.err, &mu, p.container)
		err := copyPlace(ctx, c, p, req, out, errOut)
		out.rest()
		errOut.rest()
		return err
	}
}

// logPlaces is where the output is that is asked for.
func (a *app) logPlaces(ctx context.Context, c *client.Client, names []string, l *logging) ([]place, error) {
	ctx, cancel := a.patience(ctx)
	defer cancel()
	if l.service != "" {
		places, err := holders(ctx, c, l.service)
		if err == nil && len(places) == 0 {
			err = fmt.Errorf("no live job of service %s is on a node", l.service)
		}
		return places, err
	}
	var places []place
	for _, name := range names {
		p, err := find(ctx, c, name, l.node)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, nil
}

// copyPlace writes a container's output to where it belongs.
func copyPlace(ctx context.Context, c *client.Client, p place, req messages.LogsRequest, out, errOut io.Writer) error {
	for frame, err := range framesOf(ctx, c, p, req) {
		if err != nil {
			return err
		}
		w := out
		if frame.Stream == "stderr" {
			w = errOut
		}
		if _, err := w.Write(frame.Data); err != nil {
			return err
		}
	}
	return nil
}

// framesOf is the output at a place. Where only a name is known, beside --node, it
// may be a container's, its second one, or a job's: what is not there as the one is
// asked for as the other.
func framesOf(ctx context.Context, c *client.Client, p place, req messages.LogsRequest) iter.Seq2[client.Frame, error] {
	as := []messages.LogsRequest{req}
	if as[0].Job = p.job; p.job == "" {
		as = []messages.LogsRequest{req, req}
		as[0].Container, as[1].Job = p.container, p.container
		if _, _, isContainer := messages.ParseContainerName(p.container); !isContainer {
			slices.Reverse(as)
		}
	}
	return func(yield func(client.Frame, error) bool) {
		for i, req := range as {
			known := true
			for frame, err := range c.Node(p.node).Logs(ctx, req) {
				if known = i == len(as)-1 || !isNotFound(err); known && !yield(frame, err) {
					return
				}
			}
			if known {
				return
			}
		}
	}
}
