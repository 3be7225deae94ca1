package containerd_test

import (
	"slices"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// TestPruneSaysWhatIsReclaimed has an image that shares its first layer with one
// that a container uses: that layer stays.
func TestPruneSaysWhatIsReclaimed(t *testing.T) {
	b := newBench(t)
	b.create(b.spec("true"))
	tag := b.reg.Addr() + "/second:name"
	b.must(b.rt.TagImage(b.ctx, b.image, tag))
	big, layers := b.pushLayered("big:1", mib, 2)
	_, err := b.rt.Pull(b.ctx, big, runtime.PullOptions{})
	b.must(err)
	var size int64
	for _, l := range layers {
		n, err := l.Size()
		b.must(err)
		size += n
	}
	pruned, err := b.rt.PruneImages(b.ctx)
	b.must(err)
	if !slices.Equal(pruned.Deleted, []string{big}) {
		t.Errorf("deleted %v, want %s alone: the others are of the image that is used", pruned.Deleted, big)
	}
	if more := pruned.SpaceReclaimed - size; more <= 0 || more > 64<<10 {
		t.Errorf("reclaimed %d bytes, want the two layers' %d, and the manifest and config of some KiB", pruned.SpaceReclaimed, size)
	}
	if again, err := b.rt.PruneImages(b.ctx); err != nil || len(again.Deleted) > 0 || again.SpaceReclaimed != 0 {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	if out, _ := b.run(b.spec("echo", "still here")); out != "still here\n" {
		t.Errorf("printed %q", out)
	}
}
