package messages

// Op is what a Job asks for.
type Op string

// The ops of the contract.
const (
	OpRun         Op = "run"
	OpCreate      Op = "create"
	OpStart       Op = "start"
	OpStop        Op = "stop"
	OpRestart     Op = "restart"
	OpKill        Op = "kill"
	OpRemove      Op = "remove"
	OpRename      Op = "rename"
	OpExec        Op = "exec"
	OpSyncVolumes Op = "sync_volumes"
	OpPull        Op = "pull"
	OpTag         Op = "tag"
	OpRemoveImage Op = "remove_image"
	OpPrune       Op = "prune"
	OpRevoke      Op = "revoke" // placers only
)

// need is what an op cannot do without, beside its id.
type need int

const (
	needImage     need = iota // spec.image
	needReplica               // service and replica, or the job's own id
	needContainer             // a container that exists
	needTarget                // a node, since images belong to nodes
)

// Ops lists every op, in the order of the contract.
func Ops() []Op {
	return []Op{
		OpRun, OpCreate, OpStart, OpStop, OpRestart, OpKill, OpRemove, OpRename,
		OpExec, OpSyncVolumes, OpPull, OpTag, OpRemoveImage, OpPrune, OpRevoke,
	}
}

// opNeeds is the contract's table, less its results.
var opNeeds = map[Op]need{
	OpRun:         needImage,
	OpCreate:      needImage,
	OpStart:       needReplica,
	OpStop:        needContainer,
	OpRestart:     needContainer,
	OpKill:        needContainer,
	OpRemove:      needContainer,
	OpRename:      needContainer,
	OpExec:        needContainer,
	OpSyncVolumes: needContainer,
	OpPull:        needTarget,
	OpTag:         needTarget,
	OpRemoveImage: needTarget,
	OpPrune:       needTarget,
	OpRevoke:      needContainer,
}

// Places tells whether the op looks for a node (run, create); every other op
// goes to the node that holds what it names and is never rerouted.
func (o Op) Places() bool { return o == OpRun || o == OpCreate }

// OnContainer tells whether the op works on a container that exists.
func (o Op) OnContainer() bool {
	n, ok := opNeeds[o]
	return ok && (n == needContainer || n == needReplica)
}

// Known tells whether the op is of the contract.
func (o Op) Known() bool {
	_, ok := opNeeds[o]
	return ok
}
