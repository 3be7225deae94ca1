package main

// mutations are the safeguards that keep a job with one owner.
var mutations = []mutation{
	{
		Name: "placer: the attempt test",
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
		Name: "placement: the raise of the attempt on refusal",
		Edits: []edit{{
			"pkg/placement/report.go",
			"	s.pend(route.Reason, time.Time{})\n",
			"	s.pend(route.Reason, time.Time{})\n	r.Attempt--\n",
		}},
		Tests: []string{"./pkg/placement"},
	},
}
