package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// pull gets an image with the job's credentials, again and again while what is
// wrong may pass, and tells how far it is. Of an image that is here nothing is
// told.
func (w *Worker) pull(ctx context.Context, at *active, image string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	auth, err := w.cfg.Key.Open(&at.Job)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	tell, told := w.tellPulling(at)
	defer told()
	opts.Auth, opts.Progress = auth, tell
	return persist(ctx, w, "pull "+image, func() (runtime.ImageInfo, error) {
		return w.cfg.Runtime.Pull(ctx, image, opts)
	})
}

// pullingGap is the least pause between two events about one pull.
const pullingGap = time.Second

// tellPulling publishes the progress that tell is given, the newest at a time,
// beside the pull: a bus that is slow does not slow it down. told ends that;
// by then a pull that has told anything was told of at least once.
func (w *Worker) tellPulling(at *active) (tell func(runtime.PullProgress), told func()) {
	news := make(chan runtime.PullProgress, 1)
	over := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() {
		var pause <-chan time.Time
		spoke := false
		for {
			heard := news
			if pause != nil {
				heard = nil
			}
			select {
			case p := <-heard:
				w.tell(messages.EventPulling, &at.Attempt, pulling(p))
				spoke, pause = true, time.After(pullingGap)
			case <-pause:
				pause = nil
			case <-over:
				if !spoke && len(news) > 0 {
					w.tell(messages.EventPulling, &at.Attempt, pulling(<-news))
				}
				return
			}
		}
	})
	tell = func(p runtime.PullProgress) {
		select {
		case <-news: // what nobody has taken is old
		default:
		}
		news <- p
	}
	return tell, func() { close(over); beside.Wait() }
}

// pulling is progress for people; MB are 1,000,000 bytes.
func pulling(p runtime.PullProgress) string {
	const mb = 1e6
	if p.Layers == 0 {
		return "the manifest" // which says how many there are
	}
	return fmt.Sprintf("%d/%d layers, %.1f of %.1f MB", p.LayersDone, p.Layers, float64(p.BytesDone)/mb, float64(p.Bytes)/mb)
}
