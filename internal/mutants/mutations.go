package main

// mutations are the safeguards that keep a job with one owner.
var mutations = []mutation{
	{
		Name: "journal: the sync",
		Edits: []edit{{
			"internal/worker/journal/boltjournal/boltjournal.go",
			"&bolt.Options{Timeout: patience}",
			"&bolt.Options{Timeout: patience, NoSync: true}",
		}},
		Tests: []string{"./internal/worker/journal/boltjournal"},
	},
	{
		Name: "placement: the attempt test",
		Edits: []edit{{
			"pkg/placement/report.go",
			"case held(r) && o.Node == r.Node && o.Attempt == r.Attempt:",
			"case held(r) && o.Node == r.Node:",
		}},
		Tests: []string{"./pkg/placement"},
	},
	{
		Name: "worker: the attempt test",
		Edits: []edit{{
			"internal/worker/command.go",
			"case job.Attempt < newest.Job.Attempt:",
			"case false:",
		}},
		Tests: []string{"./internal/worker"},
	},
	{
		Name: "placer: the compare-and-set",
		Edits: []edit{{
			"internal/placer/apply.go",
			"		revision, err = p.jobs.Update(ctx, job, data, revision)\n",
			"		if now, e := p.jobs.Get(ctx, job); e == nil {\n			revision = now.Revision\n		}\n		revision, err = p.jobs.Update(ctx, job, data, revision)\n",
		}},
		Tests: []string{"./internal/placer"},
	},
	{
		Name: "placement: the raise of the attempt on refusal",
		Edits: []edit{{
			"pkg/placement/report.go",
			"	s.pend(route.Reason, time.Time{})\n",
			"	s.pend(route.Reason, time.Time{})\n	r.Attempt--\n",
		}},
		Tests: []string{"./pkg/placement"},
	},
	{
		Name: "worker: the tombstone",
		Edits: []edit{{
			"internal/worker/revoke.go",
			"	if err := w.cfg.Journal.Write(a, o); err != nil {\n",
			"	if err := w.publishOne(ctx, &o); err != nil {\n",
		}},
		Tests: []string{"./internal/worker"},
	},
	{
		Name: "placer: the repeated revoke",
		Edits: []edit{{
			"internal/placer/sweep.go",
			"		return revoke && !p.fleet.answers(r.Node)\n",
			"		return revoke && (!p.fleet.answers(r.Node) || r.Node != \"\")\n",
		}},
		Tests: []string{"./internal/placer"},
	},
	{
		Name: "lease: the margin",
		Edits: []edit{{
			"internal/worker/lease/terms.go",
			"return sent + t.TTL - t.Margin",
			"return sent + t.TTL",
		}},
		Tests: []string{"./internal/worker/lease"},
	},
	{
		Name: "worker: the journal before a restart",
		Edits: []edit{{
			"internal/worker/supervisor.go",
			"if before.Differs(&s.state.Record) {",
			"if before.Differs(&s.state.Record) && !s.state.Waiting() {",
		}},
		Tests: []string{"./internal/worker"},
	},
	{
		Name: "placer: the record before the acknowledgement",
		Edits: []edit{{
			"internal/placer/streams.go",
			"		err := take(p.ctx)\n",
			"		_ = d.Ack(p.ctx)\n		err := take(p.ctx)\n",
		}},
		Tests: []string{"./internal/placer"},
	},
}
