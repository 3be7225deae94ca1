package deployment_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/pkg/deployment"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads every deployment of testdata: beside each lies what it means,
// the jobs or the mistakes.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no deployments: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := meaning(t, data)
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func meaning(t *testing.T, data []byte) string {
	t.Helper()
	d, err := deployment.Parse(data)
	if err != nil {
		var mistakes deployment.Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) == 0 {
			t.Fatalf("the error is no list of mistakes: %v", err)
		}
		return err.Error() + "\n"
	}
	text, err := json.MarshalIndent(d.Jobs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

const small = `
version: v1
deployment: shop
services:
  web:
    image: {name: team/web:1}
    env: {A: "1"}
    scale: {mode: fixed, replicas: 2}
  db:
    image: {name: team/db:1}
`

func parse(t *testing.T, text string) []messages.Job {
	t.Helper()
	d, err := deployment.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Jobs
}

func ids(jobs []messages.Job) []string {
	var all []string
	for i := range jobs {
		all = append(all, jobs[i].ID)
	}
	return all
}

// The same deployment is the same jobs, however it is written; a change of one
// service changes the ids of its jobs, and of no others.
func TestIDsFollowTheContent(t *testing.T) {
	before := parse(t, small)
	rewritten := strings.ReplaceAll(small, `env: {A: "1"}`, "# a comment\n    env:\n      A: '1'")
	if again := parse(t, rewritten); !slices.Equal(ids(before), ids(again)) {
		t.Errorf("written otherwise it is %v, was %v", ids(again), ids(before))
	}
	after := parse(t, strings.ReplaceAll(small, `A: "1"`, `A: "2"`))
	for i := range before {
		same := before[i].ID == after[i].ID
		if web := before[i].Service == "shop-web"; same == web {
			t.Errorf("%s became %s", before[i].ID, after[i].ID)
		}
		if before[i].ContainerName() != after[i].ContainerName() || !after[i].Args.Replace {
			t.Errorf("%s does not take over from %s", after[i].ID, before[i].ID)
		}
	}
}

// FuzzParse: whatever it is given, Parse gives valid jobs or says where it is
// wrong.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("version: v1\nservices: {web: {image: &x {name: *x}}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := deployment.Parse(data)
		var mistakes deployment.Mistakes
		if err != nil && (!errors.As(err, &mistakes) || len(mistakes) == 0 || mistakes[0].Line < 1) {
			t.Errorf("the error is %#v", err)
		}
		for i := range d.Jobs {
			if err := d.Jobs[i].Validate(); err != nil {
				t.Errorf("a job that is not valid: %v", err)
			}
		}
	})
}
