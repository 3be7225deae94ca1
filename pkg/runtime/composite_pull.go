package runtime

import (
	"context"
	"sync"
)

// Pull fetches the image to the member that will run it, and as what it will
// run it. If its platforms cannot be learned all members try to fetch it, and
// the first in order that has it answers; if none has, the error is all of
// theirs. A platform in opts counts as one in a spec does.
func (c *Composite) Pull(ctx context.Context, ref string, opts PullOptions) (ImageInfo, error) {
	found, err := c.inquire(ctx, question{image: ref, want: opts.Platform, pull: opts.Policy, auth: opts.Auth})
	if err != nil {
		return ImageInfo{}, err
	}
	if found.blind() {
		return c.pullEverywhere(ctx, ref, opts)
	}
	pick, err := found.decide()
	if err != nil {
		return ImageInfo{}, err
	}
	m := c.members[pick.member]
	opts.Platform = pick.platform
	info, err := m.Pull(ctx, ref, opts)
	return m.owned(info), err
}

func (c *Composite) pullEverywhere(ctx context.Context, ref string, opts PullOptions) (ImageInfo, error) {
	if tell := opts.Progress; tell != nil && len(c.members) > 1 {
		var one sync.Mutex
		opts.Progress = func(p PullProgress) {
			one.Lock()
			defer one.Unlock()
			tell(p)
		}
	}
	pulled, _, err := gather(ctx, c, "pull "+ref, func(ctx context.Context, m *member) (ImageInfo, error) { return m.Pull(ctx, ref, opts) })
	if err != nil {
		return ImageInfo{}, err
	}
	return pulled[0].by.owned(pulled[0].value), nil
}

// owned is the image with the member's name on it.
func (m *member) owned(info ImageInfo) ImageInfo {
	if info.Reference != "" {
		info.Runtime = m.name
	}
	return info
}
