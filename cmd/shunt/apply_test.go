package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const shop = `version: v1
deployment: shop
services:
  web:
    image: {name: IMAGE}
    command: {args: [serve]}
    env: {A: "1"}
    scale: {mode: fixed, replicas: 2}
  db:
    image: {name: IMAGE}
    command: {args: [serve]}
  migrate:
    rtype: job
    image: {name: IMAGE}
`

// plans runs apply or delete and gives the plan it prints: container, action.
func (p *terminal) plans(text string, args ...string) map[string]string {
	p.Helper()
	out, _ := p.typing(strings.ReplaceAll(text, "IMAGE", p.image), exitDone, append(args, "--output", "json")...)
	var steps []step
	if err := json.Unmarshal([]byte(out), &steps); err != nil {
		p.Fatalf("%v in:\n%s", err, out)
	}
	plan := map[string]string{}
	for _, s := range steps {
		plan[s.Container] = string(s.Action)
	}
	return plan
}

func (p *terminal) wantPlan(got map[string]string, want ...string) {
	p.Helper()
	for _, w := range want {
		name, act, _ := strings.Cut(w, " ")
		if got[name] != act {
			p.Errorf("%s: %s, want %s", name, got[name], act)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		p.Errorf("the plan has %v as well", got)
	}
}

func TestApply(t *testing.T) {
	p := sitDown(t)
	apply := []string{"apply", "-f", "-", "--wait"}
	p.wantPlan(p.plans(shop, "apply", "-f", "-", "--dry-run"),
		"shop-web-rep-0 start", "shop-web-rep-1 start", "shop-db-rep-0 start", "shop-migrate-rep-0 start")
	if out, _ := p.shunt(exitDone, "jobs", "--output", "json"); out != "[]\n" {
		t.Errorf("a dry run did something: %s", out)
	}
	p.plans(shop, apply...)
	p.wantPlan(p.plans(shop, apply...), // again
		"shop-web-rep-0 keep", "shop-web-rep-1 keep", "shop-db-rep-0 keep", "shop-migrate-rep-0 keep")

	changed := strings.ReplaceAll(strings.ReplaceAll(shop, `A: "1"`, `A: "2"`), "replicas: 2", "replicas: 1")
	p.wantPlan(p.plans(changed, apply...),
		"shop-web-rep-0 replace", "shop-web-rep-1 remove", "shop-db-rep-0 keep", "shop-migrate-rep-0 keep")
	out, _ := p.shunt(exitDone, "inspect", "shop-web-rep-0", "--output", "json")
	p.wants(out, `"A": "2"`)
	p.shunt(exitJobFailed, "wait", "shop-web-1-"+p.idOf(shop, "shop-web", 1))

	p.wantPlan(p.plans(shop, apply...), // back again
		"shop-web-rep-0 retry", "shop-web-rep-1 retry", "shop-db-rep-0 keep", "shop-migrate-rep-0 keep")
	out, _ = p.shunt(exitDone, "inspect", "shop-web-rep-0", "--output", "json")
	p.wants(out, `"A": "1"`)

	p.wantPlan(p.plans("", "delete", "shop", "--dry-run"), "shop-web-rep-0 remove", "shop-web-rep-1 remove", "shop-db-rep-0 remove")
	p.wantPlan(p.plans(shop, "delete", "-f", "-", "--wait"), "shop-web-rep-0 remove", "shop-web-rep-1 remove", "shop-db-rep-0 remove")
	out, errOut := p.shunt(exitDone, "delete", "shop")
	p.wants(errOut, "nothing of deployment shop runs")
	if out != "" {
		t.Errorf("and yet there is a table: %s", out)
	}
	p.wantPlan(p.plans(shop, apply...), // and what was deleted can be wanted again
		"shop-web-rep-0 retry", "shop-web-rep-1 retry", "shop-db-rep-0 retry", "shop-migrate-rep-0 keep")
}

// What was to take over and is not up yet is given up when the one before is
// wanted again.
func TestApplyGoesBackBeforeTheNewOneIsUp(t *testing.T) {
	p := sitDown(t)
	p.plans(shop, "apply", "-f", "-", "--wait")
	misfit := strings.ReplaceAll(shop, `env: {A: "1"}`, `node_selector: {labels: {disk: none}}`)
	p.wantPlan(p.plans(misfit, "apply", "-f", "-"),
		"shop-web-rep-0 replace", "shop-web-rep-1 replace", "shop-db-rep-0 keep", "shop-migrate-rep-0 keep")
	out, _ := p.typing(strings.ReplaceAll(shop, "IMAGE", p.image), exitDone, "apply", "-f", "-", "--wait", "--output", "json")
	for n, replica := range []string{"shop-web-rep-0", "shop-web-rep-1"} {
		job := "shop-web-" + strconv.Itoa(n) + "-"
		p.wants(out, `{"action":"keep","container":"`+replica+`","job":"`+job+p.idOf(shop, "shop-web", n),
			`{"action":"remove","container":"`+replica+`","job":"`+job+p.idOf(misfit, "shop-web", n))
	}
	for n := range 2 {
		p.shunt(exitJobFailed, "wait", "shop-web-"+strconv.Itoa(n)+"-"+p.idOf(misfit, "shop-web", n))
	}
	if out, _ := p.shunt(exitDone, "jobs", "--output", "json"); strings.Count(out, `"state":"running","healthy":true,"node"`) != 3 {
		t.Errorf("then there are %s", out)
	}
}

// Two deployments may come to the same names; neither ends what the other runs.
func TestApplyLeavesOtherDeploymentsAlone(t *testing.T) {
	p := sitDown(t)
	text := func(name, service string) string {
		return "version: v1\ndeployment: " + name + "\nservices: {" + service + ": {image: {name: " + p.image + "}, command: {args: [serve]}}}\n"
	}
	p.plans(text("a-b", "c"), "apply", "-f", "-", "--wait")
	for _, args := range [][]string{{"--dry-run"}, nil} {
		_, errOut := p.typing(text("a", "b-c"), exitBadUse, append([]string{"apply", "-f", "-"}, args...)...)
		p.wants(errOut, "the name a-b-c-rep-0 belongs to job a-b-c-0-", "of deployment a-b")
	}
}

// idOf is the end of the id of a job of a deployment.
func (p *terminal) idOf(text, service string, replica int) string {
	p.Helper()
	file := filepath.Join(p.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "IMAGE", p.image)), 0o600); err != nil {
		p.Fatal(err)
	}
	d, err := (&app{}).readDeployment(file)
	if err != nil {
		p.Fatal(err)
	}
	for i := range d.Jobs {
		if d.Jobs[i].Service == service && int(d.Jobs[i].Replica) == replica {
			return d.Jobs[i].ID[len(d.Jobs[i].ID)-8:]
		}
	}
	p.Fatalf("there is no replica %d of %s", replica, service)
	return ""
}

func TestMistakesInADeployment(t *testing.T) {
	p := sitDown(t)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	bad := strings.ReplaceAll(strings.ReplaceAll(shop, "image: {", "imgae: {"), "replicas: 2", "replicas: many")
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errOut := p.shunt(exitBadUse, "apply", "-f", file)
	p.wants(errOut, file+":5: services.web.imgae: there is no such field; did you mean image?",
		file+`:8: services.web.scale.replicas: "many"`)
}
