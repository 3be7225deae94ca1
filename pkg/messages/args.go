package messages

// Args are the arguments of an op. Each op reads its own (see ArgsOf) and
// refuses the others, so that a misplaced argument is not ignored in silence.
type Args struct {
	Replace   bool              `json:"replace,omitzero"`   // run, create: make before break
	Container string            `json:"container,omitzero"` // another way to write Job.Container
	Timeout   Duration          `json:"timeout,omitzero"`   // stop, restart: before the kill; exec: its limit
	Signal    string            `json:"signal,omitzero"`    // kill: default KILL
	Force     bool              `json:"force,omitzero"`     // remove, remove_image
	Volumes   bool              `json:"volumes,omitzero"`   // remove: its anonymous volumes too
	NewName   string            `json:"new_name,omitzero"`  // rename
	Cmd       []string          `json:"cmd,omitzero"`       // exec
	Env       map[string]string `json:"env,omitzero"`       // exec
	Workdir   string            `json:"workdir,omitzero"`   // exec
	User      string            `json:"user,omitzero"`      // exec
	Copy      string            `json:"copy,omitzero"`      // sync_volumes: registry reference
	Image     string            `json:"image,omitzero"`     // pull, remove_image
	Policy    PullPolicy        `json:"policy,omitzero"`    // pull
	Platform  *Platform         `json:"platform,omitzero"`  // pull
	Source    string            `json:"source,omitzero"`    // tag
	Target    string            `json:"target,omitzero"`    // tag
	Attempt   uint64            `json:"attempt,omitzero"`   // revoke: every attempt up to it
}

// opArgs is the contract's table: which arguments an op reads.
var opArgs = map[Op][]string{
	OpRun:         {"replace"},
	OpCreate:      {"replace"},
	OpStart:       {"replace"},
	OpStop:        {"timeout"},
	OpRestart:     {"timeout"},
	OpKill:        {"signal"},
	OpRemove:      {"force", "volumes"},
	OpRename:      {"new_name"},
	OpExec:        {"cmd", "env", "workdir", "user", "timeout"},
	OpSyncVolumes: {"copy"},
	OpPull:        {"image", "policy", "platform"},
	OpTag:         {"source", "target"},
	OpRemoveImage: {"image", "force"},
	OpPrune:       {},
	OpRevoke:      {"attempt"},
}

// ArgsOf lists the arguments an op reads, by their JSON names.
func ArgsOf(o Op) []string { return append([]string(nil), opArgs[o]...) }

// given lists the JSON names of the arguments that are set.
func (a *Args) given() []string {
	set := []struct {
		name string
		on   bool
	}{
		{"replace", a.Replace},
		{"timeout", a.Timeout != 0},
		{"signal", a.Signal != ""},
		{"force", a.Force},
		{"volumes", a.Volumes},
		{"new_name", a.NewName != ""},
		{"cmd", len(a.Cmd) > 0},
		{"env", len(a.Env) > 0},
		{"workdir", a.Workdir != ""},
		{"user", a.User != ""},
		{"copy", a.Copy != ""},
		{"image", a.Image != ""},
		{"policy", a.Policy != ""},
		{"platform", a.Platform != nil},
		{"source", a.Source != ""},
		{"target", a.Target != ""},
		{"attempt", a.Attempt != 0},
	}
	var names []string
	for _, f := range set {
		if f.on {
			names = append(names, f.name)
		}
	}
	return names
}
