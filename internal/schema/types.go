package schema

import (
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// mapType is the schema of the types that JSON writes in a form of their own;
// nil for those that reflection understands.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[messages.Duration]():
		return &jsonschema.Schema{
			Type:     "string",
			Pattern:  `^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$|^\+?0$|^-0$`,
			Examples: []any{"90s", "1h30m"},
		}
	case reflect.TypeFor[messages.OS]():
		return &jsonschema.Schema{Type: "string", Enum: []any{"", "linux", "windows", "darwin", "macos"}}
	}
	if words, ok := enums[t]; ok {
		return &jsonschema.Schema{Type: "string", Enum: words}
	}
	return nil
}

// enums are the words of each type that has a closed list of them. Where the
// field may be left out, the empty word says the same as leaving it out.
var enums = map[reflect.Type][]any{
	reflect.TypeFor[messages.Op]():            orNone(messages.Ops()...),
	reflect.TypeFor[messages.Kind]():          orNone(messages.KindTask, messages.KindService),
	reflect.TypeFor[messages.Status]():        words(messages.Statuses()...),
	reflect.TypeFor[messages.State]():         orNone(messages.States()...),
	reflect.TypeFor[messages.RefuseCode]():    words(messages.RefuseCodes()...),
	reflect.TypeFor[messages.Code]():          words(messages.Codes()...),
	reflect.TypeFor[messages.EventKind]():     words(messages.EventKinds()...),
	reflect.TypeFor[messages.PullPolicy]():    orNone(messages.PullAlways, messages.PullNewer, messages.PullIfNotPresent, messages.PullNever),
	reflect.TypeFor[messages.Isolation]():     orNone(messages.IsolationAuto, messages.IsolationProcess, messages.IsolationHyperV),
	reflect.TypeFor[messages.MountType]():     words(messages.MountBind, messages.MountVolume, messages.MountAnonymous, messages.MountTmpfs),
	reflect.TypeFor[messages.RestartPolicy](): words(messages.RestartNo, messages.RestartAlways, messages.RestartUnlessStopped, messages.RestartOnFailure),
	reflect.TypeFor[messages.Reroute]():       orNone(messages.RerouteAuto, messages.RerouteNever),
	reflect.TypeFor[messages.OnNodeLoss]():    orNone(messages.LossReschedule, messages.LossWait, messages.LossFail),
	reflect.TypeFor[messages.OnPartition]():   orNone(messages.PartitionKeep, messages.PartitionStop),
	reflect.TypeFor[messages.WaitCondition](): orNone(messages.WaitNotRunning, messages.WaitNextExit, messages.WaitRemoved),
	reflect.TypeFor[messages.NodeState]():     orNone(messages.NodeAlive, messages.NodeDraining, messages.NodeLost, messages.NodeLeft, messages.NodeQuarantined),
	reflect.TypeFor[messages.ExitReason]():    orNone(messages.ExitExited, messages.ExitSignal, messages.ExitOOMKilled, messages.ExitRuntimeError, messages.ExitTimeout),
}

func words[T ~string](all ...T) []any {
	list := make([]any, len(all))
	for i, word := range all {
		list[i] = string(word)
	}
	return list
}

func orNone[T ~string](all ...T) []any { return append(words(all...), "") }
