package remote

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Why a far end is away.
var (
	errFirst  = errors.New("it is being dialled")
	errClosed = errors.New("it was let go of")
)

// keep dials, watches over what it got, and dials again, until Close.
func (r *Runtime) keep() {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = r.cfg.Pause, r.cfg.MostPause
	for {
		began := time.Now()
		err := r.keepOne()
		if r.life.Err() != nil {
			r.set(nil, errClosed)
			return
		}
		if time.Since(began) > r.cfg.MostPause {
			pauses.Reset() // it was there for long enough
		}
		pause := pauses.NextBackOff()
		r.log.Warn("the delegate is away", "error", err, "again_in", pause)
		select {
		case <-r.life.Done():
		case <-time.After(pause):
		}
	}
}

// keepOne dials once, and is why the link that there was has ended.
func (r *Runtime) keepOne() error {
	l, err := r.dial(r.life)
	if err != nil {
		r.set(nil, err)
		return err
	}
	r.log.Info("the delegate is there", "version", l.version)
	r.set(l, nil)
	err = l.watch(r.life)
	r.set(nil, err)
	l.close()
	return err
}
